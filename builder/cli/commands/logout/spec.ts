import type { CommandSpec } from "../../flags/command.ts";
import { commonFlags, authfileFlag } from "../../flags/shared-flags.ts";

export const logoutCommand: CommandSpec = {
  name: "logout",
  summary: "Forget credentials of a registry",
  operands: "[REGISTRY]",
  min: 0,
  max: 1,
  flags: [
    { name: "all", short: "a", kind: "bool", help: "of every registry in the file" },
    { ...authfileFlag, help: "the file that has them (default ~/.docker/config.json)" },
    ...commonFlags,
  ],
  examples: ["tsbuild logout ghcr.io", "tsbuild logout --all"],
  plain: true,
  rare: true,
  load: () => import("./execute.ts"),
};
