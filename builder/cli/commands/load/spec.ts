import type { CommandSpec } from "../../flags/command.ts";
import { commonFlags, missing } from "../../flags/shared-flags.ts";

export const loadCommand: CommandSpec = {
  name: "load",
  summary: "Read images from a docker or OCI archive",
  operands: "",
  min: 0,
  max: 0,
  flags: [
    { name: "input", short: "i", kind: "string", value: "FILE", help: "read FILE in place of standard input" },
    { name: "quiet", short: "q", kind: "bool", help: "print names only" },
    ...commonFlags,
  ],
  missing: missing("platform"),
  examples: ["tsbuild load -i app.tar", "docker save app | tsbuild load"],
  load: () => import("./execute.ts"),
};
