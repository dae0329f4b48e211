import type { CommandSpec } from "../../flags/command.ts";
import { commonFlags, registryFlags, progressFlag, platformFlag, missing } from "../../flags/shared-flags.ts";

export const pushCommand: CommandSpec = {
  name: "push",
  summary: "Send an image to its registry",
  operands: "IMAGE",
  min: 1,
  max: 1,
  flags: [
    platformFlag,
    { name: "quiet", short: "q", kind: "bool", help: "print only the digest" },
    progressFlag,
    ...registryFlags,
    ...commonFlags,
  ],
  missing: missing("all-tags/a", "disable-content-trust", "creds"),
  examples: ["tsbuild push localhost:5000/app", "tsbuild push ghcr.io/team/app:1.2"],
  load: () => import("./execute.ts"),
};
