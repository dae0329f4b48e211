import type { CommandSpec } from "../../flags/command.ts";
import { commonFlags, formatFlag } from "../../flags/shared-flags.ts";

export const versionCommand: CommandSpec = {
  name: "version",
  summary: "Show versions",
  operands: "",
  min: 0,
  max: 0,
  flags: [{ ...formatFlag, short: "f", help: "json or a Go template: '{{.Version}}'" }, ...commonFlags],
  examples: ["tsbuild version", "tsbuild version --format '{{.Version}}'"],
  plain: true,
  rare: true,
  load: () => import("./execute.ts"),
};
