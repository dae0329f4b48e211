import type { CommandSpec } from "../../flags/command.ts";
import { commonFlags, platformFlag, missing } from "../../flags/shared-flags.ts";

export const saveCommand: CommandSpec = {
  name: "save",
  summary: "Write images to a tar archive",
  operands: "IMAGE...",
  min: 1,
  max: Infinity,
  flags: [
    { name: "output", short: "o", kind: "string", value: "FILE", help: "write to FILE in place of standard output" },
    { name: "format", kind: "string", value: "KIND", choices: ["docker", "oci"], help: "docker (default) or oci" },
    platformFlag,
    ...commonFlags,
  ],
  missing: missing("quiet/q", "compress"),
  examples: ["tsbuild save -o app.tar app", "tsbuild save app | docker load"],
  load: () => import("./execute.ts"),
};
