import type { CommandSpec, FlagSpec } from "../flags/command.ts";

/** What a value is one of: names that are looked up, files for the shell to find, or these words. */
export type ValueKind =
  | "file"
  | "directory"
  | "image"
  | "stage"
  | "argument"
  | "variable"
  | "registry"
  | "command"
  | { readonly words: readonly string[] };

/** Placeholders of the command table that say what belongs there. */
const placeholders: Readonly<Record<string, readonly ValueKind[]>> = {
  FILE: ["file"],
  DIR: ["directory"],
  PATH: ["directory"],
  STAGE: ["stage"],
  IMAGE: ["image"],
  REGISTRY: ["registry"],
  HOST: ["registry"],
  COMMAND: ["command"],
  "SRC:DST[:ro]": ["file"],
  "OS/ARCH": [
    {
      words: [
        "linux/amd64",
        "linux/arm64",
        "linux/arm/v7",
        "linux/386",
        "linux/ppc64le",
        "linux/riscv64",
        "linux/s390x",
      ],
    },
  ],
  FORMAT: [{ words: ["json", "table"] }],
  SHELL: [{ words: ["bash", "zsh", "fish"] }],
};

/** Flags whose placeholder does not say it. */
const byFlag: Readonly<Record<string, readonly ValueKind[]>> = {
  tag: ["image"],
  "build-arg": ["argument"],
  env: ["variable"],
  at: ["stage", { words: ["failed"] }],
  output: [
    "directory",
    {
      words: [
        "type=image",
        "type=docker,dest=",
        "type=oci,dest=",
        "type=local,dest=",
        "type=tar,dest=",
        "type=cacheonly",
      ],
    },
  ],
  secret: [{ words: ["id="] }],
  ssh: [{ words: ["default"] }],
  allow: [{ words: ["network.host", "security.insecure", "device"] }],
  "cache-ttl": [{ words: ["1h", "12h", "7d", "never"] }],
};

const filters: Readonly<Record<string, readonly string[]>> = {
  images: ["dangling=", "label=", "before=", "since=", "until=", "reference="],
  prune: ["until="],
  "image prune": ["until=", "label=", "label!=", "dangling="],
  "builder prune": ["until="],
  "system prune": ["until=", "label=", "label!="],
};

/** What the value of a flag can be. */
export function flagValues(command: CommandSpec, flag: FlagSpec): readonly ValueKind[] {
  if (flag.choices !== undefined) return [{ words: flag.choices }];
  if (flag.kind === "bool") return [{ words: ["true", "false"] }];
  if (flag.name === "filter") return [{ words: filters[command.name] ?? [] }];
  return byFlag[flag.name] ?? placeholders[flag.value ?? ""] ?? [];
}

/** What the operand at a place can be, by the words that describe operands in help: `[IMAGE|DIR|BUILD [STEP]]`. */
export function operandValues({ operands, name }: CommandSpec, at: number): readonly ValueKind[] {
  const words = operands.split(" ").map((word) => word.replace(/[[\]]/g, ""));
  const repeated = words.at(-1)?.endsWith("...") === true ? words.at(-1) : undefined;
  const word = (words[at] ?? repeated ?? "").replace("...", "");
  if (word === "NAME" && (name === "images" || name === "tag")) return ["image"];
  if (word === "CMD" || word === "ARG") return ["file"];
  return word.split("|").flatMap((one) => placeholders[one] ?? []);
}
