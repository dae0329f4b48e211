import type { CommandSpec } from "../../flags/command.ts";
import { commonFlags, progressFlag, platformFlag, missing } from "../../flags/shared-flags.ts";

export const importCommand: CommandSpec = {
  name: "import",
  summary: "Make an image of a root file system in an archive",
  operands: "FILE|URL|- [NAME]",
  min: 1,
  max: 2,
  flags: [
    {
      name: "change",
      short: "c",
      kind: "list",
      value: "INSTR",
      help: "an instruction of config: 'CMD [\"/bin/sh\"]'",
    },
    platformFlag,
    { name: "quiet", short: "q", kind: "bool", help: "no progress" },
    progressFlag,
    ...commonFlags,
  ],
  missing: missing("message/m"),
  examples: ["tsbuild import rootfs.tar.gz app", "tar -C root -c . | tsbuild import -c 'CMD [\"bash\"]' - debian"],
  rare: true,
  load: () => import("./execute.ts"),
};
