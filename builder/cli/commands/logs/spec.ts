import type { CommandSpec } from "../../flags/command.ts";
import { commonFlags, missing } from "../../flags/shared-flags.ts";

export const logsCommand: CommandSpec = {
  name: "logs",
  summary: "Print all that steps of the last build printed",
  operands: "[IMAGE|DIR|BUILD [STEP]]",
  min: 0,
  max: 2,
  flags: [{ name: "path", kind: "bool", help: "print where the logs are" }, ...commonFlags],
  missing: missing("follow/f", "tail/n", "timestamps/t", "since", "until", "details"),
  examples: ["tsbuild logs", "tsbuild logs app 12", "tsbuild logs . failed"],
  load: () => import("./execute.ts"),
};
