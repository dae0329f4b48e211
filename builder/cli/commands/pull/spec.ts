import type { CommandSpec } from "../../flags/command.ts";
import { commonFlags, registryFlags, progressFlag, platformFlag, missing } from "../../flags/shared-flags.ts";

export const pullCommand: CommandSpec = {
  name: "pull",
  summary: "Fetch an image from its registry",
  operands: "IMAGE",
  min: 1,
  max: 1,
  flags: [
    {
      name: "all-platforms",
      kind: "bool",
      help: "every platform and signature, to push or save it whole",
    },
    platformFlag,
    { name: "quiet", short: "q", kind: "bool", help: "print only the name" },
    progressFlag,
    ...registryFlags,
    ...commonFlags,
  ],
  missing: missing("all-tags/a", "disable-content-trust", "creds"),
  examples: ["tsbuild pull debian:12", "tsbuild pull --registry-mirror docker.io=http://127.0.0.1:5000 alpine"],
  load: () => import("./execute.ts"),
};
