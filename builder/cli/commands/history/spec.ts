import type { CommandSpec } from "../../flags/command.ts";
import { commonFlags, platformFlag, formatFlag, quietIds, noTrunc } from "../../flags/shared-flags.ts";

export const historyCommand: CommandSpec = {
  name: "history",
  summary: "Show how an image was made",
  operands: "IMAGE",
  min: 1,
  max: 1,
  flags: [
    { name: "human", short: "H", kind: "bool", help: "sizes and dates for people (default true)" },
    formatFlag,
    noTrunc,
    quietIds,
    platformFlag,
    ...commonFlags,
  ],
  examples: ["tsbuild history app", "tsbuild history --no-trunc --format '{{.CreatedBy}}' app"],
  load: () => import("./execute.ts"),
};
