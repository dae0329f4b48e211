import type { OptionTable } from "../../native/arguments.ts";
import type { BuildOptions, EngineOptions, RunOptions } from "./options.ts";
import type { PruneOptions } from "./prune.ts";
import type { WhyOptions } from "./why.ts";
import type { NetworkOption } from "../ops/container/network-option.ts";
import type { PullPolicy } from "../inputs/source/image/pull-policy.ts";

/** Of every call. */
export const engine: OptionTable<EngineOptions> = {
  root: "text!",
  registry: "record",
  signal: "signal",
  squashOwners: "boolean",
};

/** The words of a type, all of them. */
const network = words<NetworkOption>({ default: true, own: true, none: true, host: true });
const pull = words<PullPolicy>({ always: true, missing: true, never: true, newer: true });
const squash = words<NonNullable<BuildOptions["squash"]>>({ new: true, stage: true, all: true });

function words<T extends string>(all: Readonly<Record<T, true>>): readonly string[] {
  return Object.keys(all);
}

const container = {
  network,
  addHosts: "list",
  ulimits: "list",
  shmSize: "number",
  resources: "record",
  cgroupParent: "string",
} as const;

export const buildTable: OptionTable<BuildOptions> = {
  context: "text!",
  ...engine,
  dockerfile: "string",
  stdin: "source",
  target: "string",
  buildArgs: "texts",
  labels: "texts",
  tags: "strings",
  noCache: "any",
  pull,
  contexts: "texts",
  platform: "string",
  outputs: "list",
  sourceDateEpoch: "number",
  hostEnv: "texts",
  allow: "strings",
  cdiDirectories: "strings",
  ...container,
  secrets: "record",
  ssh: "record",
  squash,
  maxParallelism: "number",
  cacheTtl: "string",
  ownChecks: "any",
  debug: "record",
  stdout: "sink",
  onEvent: "call",
};

export const runTable: OptionTable<RunOptions> = {
  image: "text!",
  ...engine,
  command: "strings",
  pull,
  platform: "string",
  stdin: "source",
  stdout: "sink",
  stderr: "sink",
  stdio: "record",
  interactive: "boolean",
  tty: "boolean",
  env: "strings",
  workdir: "string",
  user: "string",
  entrypoint: "strings",
  volumes: "strings",
  tmpfs: "strings",
  memory: "number",
  cpus: "number",
  ...container,
  hostname: "string",
  init: "boolean",
  capAdd: "strings",
  capDrop: "strings",
  onStart: "call",
  onEvent: "call",
};

export const pruneTable: OptionTable<PruneOptions> = {
  root: "text!",
  signal: "signal",
  images: words<NonNullable<PruneOptions["images"]>>({ none: true, dangling: true, named: true, all: true }),
  cache: words<NonNullable<PruneOptions["cache"]>>({ none: true, dangling: true, all: true }),
  until: "number",
  labels: "strings",
  notLabels: "strings",
};

export const whyTable: OptionTable<WhyOptions> = { root: "text!", build: "string", directory: "text" };

export const imagesTable: OptionTable<Pick<EngineOptions, "root">> = { root: "text!" };
