import type { CommandSpec } from "../../flags/command.ts";
import { commonFlags, progressFlag, platformFlag } from "../../flags/shared-flags.ts";

export const exportCommand: CommandSpec = {
  name: "export",
  summary: "Write the files of an image as a tar archive",
  operands: "IMAGE",
  min: 1,
  max: 1,
  flags: [
    { name: "output", short: "o", kind: "string", value: "FILE", help: "write to FILE in place of standard output" },
    platformFlag,
    { name: "quiet", short: "q", kind: "bool", help: "no progress" },
    progressFlag,
    ...commonFlags,
  ],
  examples: ["tsbuild export -o app.tar app", "tsbuild export app | tar -tv"],
  rare: true,
  load: () => import("./execute.ts"),
};
