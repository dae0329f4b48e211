import type { CommandSpec } from "../../flags/command.ts";
import { commonFlags, platformFlag, formatFlag, missing } from "../../flags/shared-flags.ts";

export const inspectCommand: CommandSpec = {
  name: "inspect",
  summary: "Show an image's config, layers and digests as JSON",
  operands: "IMAGE...",
  min: 1,
  max: Infinity,
  flags: [
    { ...formatFlag, short: "f", help: "json or a Go template: '{{.Config.Env}}'" },
    { name: "query", kind: "string", value: "PATH", help: "a part of it as JSON: Config.Env[0]" },
    { name: "type", kind: "string", value: "KIND", choices: ["image"], help: "what is inspected: image" },
    platformFlag,
    ...commonFlags,
  ],
  missing: missing("size/s"),
  examples: [
    "tsbuild inspect app",
    "tsbuild inspect -f '{{json .Config.Env}}' app",
    "tsbuild inspect --query RootFS.Layers app",
  ],
  load: () => import("./execute.ts"),
};
