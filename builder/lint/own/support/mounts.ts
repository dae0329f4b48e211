import { posix } from "node:path";
import type { RunInstruction } from "../../../dockerfile/ast.ts";
import { parseMountFlag, type MountFlag } from "../../../dockerfile/mount-flag.ts";
import type { StepCheck } from "../../rule.ts";

/** The mounts of a RUN that can be read; the others are an error where they are needed. */
export function mountsOf({ instruction, expand }: StepCheck<RunInstruction>): readonly MountFlag[] {
  return instruction.flags.flatMap(({ name, value }) => {
    try {
      return name === "mount" ? [parseMountFlag(value, (text) => expand(text) ?? text)] : [];
    } catch {
      return [];
    }
  });
}

/** Where a RUN has a cache or a tmpfs: what is written there is in no layer. */
export function passingDirectories(step: StepCheck<RunInstruction>): readonly string[] {
  const { WorkingDir: directory = "/" } = step.state.config;
  return mountsOf(step)
    .filter(({ type }) => type === "cache" || type === "tmpfs")
    .map(({ target = "" }) => posix.resolve("/", directory, target));
}
