import type { RunInstruction } from "../../dockerfile/ast.ts";
import { getEnv } from "../../base/env.ts";
import type { StepCheck, StepRule } from "../rule.ts";
import { runCommands, type RunCommand } from "../shell/run-commands.ts";
import { isUpdateAlone } from "./apt-update-alone.ts";
import { isInImage } from "./support/in-image.ts";
import { passingDirectories } from "./support/mounts.ts";
import { packageTools, type PackageTool } from "./support/package-tools.ts";

/** In stages that are part of the image alone: what others keep goes with them. */
export const packageCacheKept: StepRule<"RUN"> = {
  kind: "step",
  on: ["RUN"],
  name: "tsbuild/PackageCacheKept",
  description: "What a package manager downloads for itself should not stay in the image",
  examples: () => ({
    bad: "FROM debian:12\nRUN apt-get update && \\\n    apt-get install -y --no-install-recommends curl",
    line: 2,
    message: "apt-get update leaves package lists in the image",
    good: "FROM debian:12\nRUN apt-get update && \\\n    apt-get install -y --no-install-recommends curl && \\\n    rm -rf /var/lib/apt/lists/*",
  }),
  check: (step) => {
    const commands = isInImage(step) ? runCommands(step) : [];
    if (commands.length === 0 || isUpdateAlone(commands)) return [];
    const directories = passingDirectories(step);
    return packageTools.flatMap((tool) => {
      const found = keptBy(tool, commands, step);
      if (found === undefined || directories.some((path) => tool.keepsIn(path))) return [];
      const { command, action, count } = found;
      const message = `${command.name} ${action} leaves ${tool.leftover} in the image`;
      return [{ message, location: step.instruction.location, at: command.locate(count), hint: tool.hint }];
    });
  },
};

/** The first command that fills the cache of a tool, when nothing behind it in the RUN empties that. */
function keptBy(
  tool: PackageTool,
  commands: readonly RunCommand[],
  { state }: StepCheck<RunInstruction>,
): { readonly command: RunCommand; readonly action: string; readonly count: number } | undefined {
  if (tool.offBy !== undefined && (getEnv(state.env, tool.offBy) ?? "") !== "") return undefined;
  for (const [at, command] of commands.entries()) {
    const action = tool.fills(command);
    if (action === undefined) continue;
    if (commands.findLastIndex((one) => tool.empties(one)) > at) return undefined;
    return { command, action: action.name, count: action.count };
  }
  return undefined;
}
