import type { CommandSpec } from "../../flags/command.ts";
import { commonFlags, formatFlag } from "../../flags/shared-flags.ts";

export const whyCommand: CommandSpec = {
  name: "why",
  summary: "Explain why steps of the last build ran",
  operands: "[IMAGE|DIR|BUILD]",
  min: 0,
  max: 1,
  flags: [{ ...formatFlag, help: "json or a Go template: '{{range .Steps}}{{.Name}}{{end}}'" }, ...commonFlags],
  examples: ["tsbuild why", "tsbuild why app", "tsbuild why --format json ./service"],
  load: () => import("./execute.ts"),
};
