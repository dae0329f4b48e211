import type { Instruction } from "../../dockerfile/ast.ts";
import type { StepRule } from "../rule.ts";
import { runCommands } from "../shell/run-commands.ts";
import { aptAction } from "./support/action.ts";
import { firstOf } from "./support/first-of.ts";
import { isInImage } from "./support/in-image.ts";

/** In stages that are part of the image alone, unless apt has been told in an earlier step. */
export const aptRecommends: StepRule<"RUN"> = {
  kind: "step",
  on: ["RUN"],
  name: "tsbuild/AptRecommends",
  description: "Packages that are only recommended should not come into the image unasked",
  examples: () => ({
    bad: "FROM debian:12\nRUN apt-get update && apt-get install -y git && rm -rf /var/lib/apt/lists/*",
    line: 2,
    message: "apt-get install also installs what its packages only recommend",
    good: "FROM debian:12\nRUN apt-get update && apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/*",
  }),
  check: (step) => {
    const { instruction, steps, index } = step;
    if (!isInImage(step)) return [];
    const settled = settledAt(steps);
    if (settled >= 0 && settled <= index) return [];
    return runCommands(step).flatMap((command) => {
      const action = aptAction(command);
      if (action?.name !== "install" || action.operands.length === 0) return [];
      if (command.args.some((arg) => /install-recommends/i.test(arg))) return [];
      const message = `${command.name} install also installs what its packages only recommend`;
      const hint = `write ${command.name} install -y --no-install-recommends ..., and name what is missed`;
      return [{ message, location: instruction.location, at: command.locate(action.count), hint }];
    });
  },
};

/** Where a configuration of apt is written that may say it. */
const settledAt: (steps: readonly Instruction[]) => number = firstOf(
  ({ original, heredocs }) =>
    /APT::Install-Recommends/i.test(original) || heredocs.some(({ body }) => /APT::Install-Recommends/i.test(body)),
);
