import type { CommandSpec } from "../../flags/command.ts";
import { commonFlags } from "../../flags/shared-flags.ts";

export const tagCommand: CommandSpec = {
  name: "tag",
  summary: "Give an image another name",
  operands: "IMAGE NAME",
  min: 2,
  max: 2,
  flags: commonFlags,
  examples: ["tsbuild tag app localhost:5000/team/app:1.2"],
  load: () => import("./execute.ts"),
};
