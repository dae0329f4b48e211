import type { StepRule } from "../rule.ts";
import { runCommands, type RunCommand } from "../shell/run-commands.ts";
import { aptAction } from "./support/action.ts";
import { passingDirectories } from "./support/mounts.ts";

const besides: ReadonlySet<string> = new Set(["set", "export", "true", ":", "echo"]);

export const aptUpdateAlone: StepRule<"RUN"> = {
  kind: "step",
  on: ["RUN"],
  name: "tsbuild/AptUpdateAlone",
  description: "Package lists should be fetched in the RUN that installs from them",
  examples: () => ({
    bad: "FROM debian:12\nRUN apt-get update\nRUN apt-get install -y --no-install-recommends curl",
    line: 2,
    message: "apt-get update in a RUN of its own is taken from the cache, however old its package lists are",
    good: "FROM debian:12\nRUN apt-get update && \\\n    apt-get install -y --no-install-recommends curl && \\\n    rm -rf /var/lib/apt/lists/*",
  }),
  check: (step) => {
    const commands = runCommands(step);
    const update = commands.find((command) => aptAction(command)?.name === "update");
    if (update === undefined || !isUpdateAlone(commands) || passingDirectories(step).length > 0) return [];
    const message = `${update.name} update in a RUN of its own is taken from the cache, however old its package lists are`;
    const hint = `write ${update.name} update && ${update.name} install -y ... in one RUN`;
    return [{ message, location: step.instruction.location, at: update.locate(aptAction(update)?.count), hint }];
  },
};

/** Whether nothing that could install is beside an update. */
export function isUpdateAlone(commands: readonly RunCommand[]): boolean {
  const isUpdate = (command: RunCommand): boolean => aptAction(command)?.name === "update";
  return commands.some(isUpdate) && commands.every((command) => isUpdate(command) || besides.has(command.name));
}
