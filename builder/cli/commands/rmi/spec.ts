import type { CommandSpec } from "../../flags/command.ts";
import { commonFlags, missing } from "../../flags/shared-flags.ts";

export const rmiCommand: CommandSpec = {
  name: "rmi",
  aliases: ["untag"],
  summary: "Remove names of images, and what nothing else needs",
  operands: "IMAGE...",
  min: 1,
  max: Infinity,
  flags: [
    { name: "force", short: "f", kind: "bool", help: "every name of an ID; no error if there is none" },
    { name: "no-prune", kind: "bool", help: "leave content to a later collection" },
    ...commonFlags,
  ],
  missing: missing("platform", "all/a"),
  examples: ["tsbuild rmi app", "tsbuild rmi -f $(tsbuild images -q)"],
  load: () => import("./execute.ts"),
};
