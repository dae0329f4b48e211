import type { CommandSpec } from "../../flags/command.ts";
import { commonFlags, formatFlag, quietIds, noTrunc } from "../../flags/shared-flags.ts";

export const imagesCommand: CommandSpec = {
  name: "images",
  aliases: ["ls"],
  summary: "List images",
  operands: "[NAME]",
  min: 0,
  max: 1,
  flags: [
    { name: "all", short: "a", kind: "bool", help: "every image (what is listed anyway)" },
    { name: "digests", kind: "bool", help: "show digests" },
    { name: "tree", kind: "bool", help: "show the platforms of each image" },
    {
      name: "filter",
      short: "f",
      kind: "list",
      value: "K=V",
      help: "dangling, label, before, since, until or reference",
    },
    formatFlag,
    noTrunc,
    quietIds,
    ...commonFlags,
  ],
  examples: ["tsbuild images", "tsbuild images --filter reference='app*' --format '{{.Repository}} {{.Size}}'"],
  load: () => import("./execute.ts"),
};
