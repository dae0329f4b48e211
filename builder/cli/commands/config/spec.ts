import type { CommandSpec } from "../../flags/command.ts";
import { commonFlags, formatFlag } from "../../flags/shared-flags.ts";

export const configCommand: CommandSpec = {
  name: "config",
  summary: "Show the settings that count, and where each is from",
  operands: "[NAME]",
  min: 0,
  max: 1,
  flags: [
    { name: "show-origin", kind: "bool", help: "show the flag, variable or file that each is from" },
    { ...formatFlag, help: "table, json or a Go template: '{{.Name}}={{.Value}}'" },
    ...commonFlags,
  ],
  examples: ["tsbuild config --show-origin", "tsbuild config root", "tsbuild config --format json"],
  plain: true,
  rare: true,
  load: () => import("./execute.ts"),
};
