import type { CommandSpec } from "../../flags/command.ts";
import { commonFlags } from "../../flags/shared-flags.ts";

export const completionCommand: CommandSpec = {
  name: "completion",
  summary: "Print the completion of a shell",
  operands: "SHELL",
  min: 1,
  max: 1,
  flags: commonFlags,
  examples: ["source <(tsbuild completion bash)", "tsbuild completion fish > ~/.config/fish/completions/tsbuild.fish"],
  plain: true,
  rare: true,
  load: () => import("./execute.ts"),
};
