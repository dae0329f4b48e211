import type { CommandSpec } from "../../flags/command.ts";
import { commonFlags } from "../../flags/shared-flags.ts";

export const unshareCommand: CommandSpec = {
  name: "unshare",
  summary: "Run a program as root of a plain user's own namespace",
  operands: "[COMMAND [ARG...]]",
  min: 0,
  max: Infinity,
  stopAtOperand: true,
  flags: commonFlags,
  examples: ["tsbuild unshare ls -ln ~/.local/share/tsbuild", "tsbuild unshare node build.ts"],
  rare: true,
  storeless: true,
  load: () => import("./execute.ts"),
};
