import type { CommandSpec } from "../../flags/command.ts";

/** Flags of build that say what becomes of the image. */
const results = new Set(
  "tag label output push load quiet iidfile metadata-file squash shell-on-fail cache-ttl check call check-own".split(
    " ",
  ),
);

/** `tsbuild shell`: the flags of build that decide what a step is, and where the shell is opened. */
export function shellCommand(build: CommandSpec): CommandSpec {
  return {
    name: "shell",
    summary: "Open a shell in a step of a build",
    operands: "PATH [CMD...]",
    min: 1,
    max: Infinity,
    stopAtOperand: true,
    flags: [
      { name: "at", kind: "string", value: "PLACE", help: "LINE, STAGE or failed (default: the end of the target)" },
      { name: "before", kind: "bool", help: "before the step at LINE, not after it" },
      ...build.flags.filter(({ name }) => !results.has(name)),
    ],
    missing: (build.missing ?? []).filter(({ name }) => !results.has(name)),
    examples: ["tsbuild shell .", "tsbuild shell --at 12 --before .", "tsbuild shell --at failed . make -n"],
    load: () => import("./execute.ts"),
  };
}
