import type { StepRule } from "../rule.ts";
import { runCommands } from "../shell/run-commands.ts";
import { cacheDirectories } from "./support/cache-directories.ts";
import { mountsOf } from "./support/mounts.ts";

/** Off unless it is named: a machine that builds once has nothing of a cache. */
export const cacheMount: StepRule<"RUN"> = {
  kind: "step",
  on: ["RUN"],
  name: "tsbuild/CacheMount",
  description: "What compilers and package managers keep for the next time should be in a cache mount",
  experimental: true,
  examples: () => ({
    bad: "# check=experimental=tsbuild/CacheMount\nFROM golang:1.25\nRUN go build -o /app .",
    line: 3,
    message: "go build begins from nothing each time",
    good: "# check=experimental=tsbuild/CacheMount\nFROM golang:1.25\nRUN --mount=type=cache,target=/root/.cache/go-build go build -o /app .",
  }),
  check: (step) => {
    if (mountsOf(step).some(({ type }) => type === "cache")) return [];
    for (const command of runCommands(step)) {
      const found = cacheDirectories(command);
      if (found === undefined) continue;
      const { action, paths } = found;
      const flags = paths.map((path) => `--mount=type=cache,target=${path}`);
      const message = `${command.name} ${action.name} begins from nothing each time`;
      const hint = `write RUN ${flags.join(" ")} ...`;
      return [{ message, location: step.instruction.location, at: command.locate(action.count), hint }];
    }
    return [];
  },
};
