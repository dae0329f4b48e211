import type { CommandSpec } from "../../flags/command.ts";
import { commonFlags, insecureFlag, tlsVerifyFlag, authfileFlag, missing } from "../../flags/shared-flags.ts";

export const loginCommand: CommandSpec = {
  name: "login",
  summary: "Keep credentials of a registry",
  operands: "[REGISTRY]",
  min: 0,
  max: 1,
  flags: [
    {
      name: "username",
      short: "u",
      kind: "string",
      value: "USER",
      help: "user; <token>: the password is an identity token",
    },
    { name: "password", short: "p", kind: "string", value: "WORD", help: "password, for everybody to see in ps" },
    { name: "password-stdin", kind: "bool", help: "read the password from standard input" },
    { ...authfileFlag, help: "keep them there (default ~/.docker/config.json)" },
    insecureFlag,
    tlsVerifyFlag,
    ...commonFlags,
  ],
  missing: missing("cert-dir", "get-login", "verbose/v"),
  examples: ["tsbuild login ghcr.io", "tsbuild login -u me --password-stdin registry.example:5000 < token"],
  plain: true,
  rare: true,
  load: () => import("./execute.ts"),
};
