import type { CommandSpec, FlagSpec, MissingFlag } from "../../flags/command.ts";

const force: FlagSpec = { name: "force", short: "f", kind: "bool", help: "do not ask first, as on a terminal" };

function all(help: string): FlagSpec {
  return { name: "all", short: "a", kind: "bool", help };
}

function filter(help: string): FlagSpec {
  return { name: "filter", kind: "list", value: "K=V", help };
}

const limits: readonly MissingFlag[] = [
  { name: "keep-storage" },
  { name: "reserved-space" },
  { name: "max-used-space" },
  { name: "min-free-space" },
];

/** `tsbuild prune` itself, and those of docker's groups. */
export function pruneCommand(common: readonly FlagSpec[]): CommandSpec {
  return {
    name: "prune",
    summary: "Remove what no image and no recent step needs",
    operands: "",
    min: 0,
    max: 0,
    flags: [
      all("forget every step of the cache too"),
      { name: "until", kind: "string", value: "DURATION", help: "forget steps not used for so long: 24h" },
      filter("until=TIME: as --until, or a date; limits --all too"),
      force,
      ...common,
    ],
    missing: [{ name: "volumes" }, ...limits],
    examples: ["tsbuild prune", "tsbuild prune --until 168h", "tsbuild image prune -a", "tsbuild system prune"],
    load: () => import("./execute.ts"),
  };
}

/** Commands whose name is a group of docker's and a word. */
export function groupedPruneCommands(common: readonly FlagSpec[]): readonly CommandSpec[] {
  const shared = { operands: "", min: 0, max: 0, load: () => import("./execute.ts") };
  return [
    {
      ...shared,
      name: "image prune",
      summary: "Remove images without a name, or all that no container uses",
      flags: [
        all("every image that no container and no build uses, not only those without a name"),
        filter("until=TIME, label=K[=V], label!=K[=V], dangling=BOOL"),
        force,
        ...common,
      ],
      examples: ["tsbuild image prune", "tsbuild image prune -a --filter until=240h --filter label!=keep"],
    },
    {
      ...shared,
      name: "builder prune",
      summary: "Remove the cache of builds",
      flags: [
        all("also steps whose results are part of images"),
        filter("until=TIME: what was not used since then"),
        force,
        ...common,
      ],
      missing: limits,
      examples: ["tsbuild builder prune", "tsbuild builder prune -a -f --filter until=24h"],
    },
    {
      ...shared,
      name: "system prune",
      summary: "Remove images without a name and the cache of builds, or all that nothing uses",
      flags: [
        all("every image that no container and no build uses, and the whole cache"),
        filter("until=TIME, label=K[=V], label!=K[=V]; by a label no cache is removed"),
        force,
        ...common,
      ],
      missing: [{ name: "volumes" }],
      examples: ["tsbuild system prune", "tsbuild system prune -a -f"],
    },
  ];
}
