import type { CommandSpec } from "../../flags/command.ts";
import { commonFlags } from "../../flags/shared-flags.ts";

export const manCommand: CommandSpec = {
  name: "man",
  summary: "Print a page of the manual",
  operands: "[COMMAND]",
  min: 0,
  max: 2,
  flags: commonFlags,
  examples: ["tsbuild man | man -l -", "tsbuild man build | man -l -"],
  plain: true,
  rare: true,
  load: () => import("./execute.ts"),
};
