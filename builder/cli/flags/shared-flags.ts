import type { FlagSpec, MissingFlag } from "./command.ts";

/** Flags that every command has; they may also stand before the command's name. */
export const commonFlags: readonly FlagSpec[] = [
  { name: "root", kind: "string", value: "DIR", help: "the store's directory (env TSBUILD_ROOT)" },
  { name: "debug", short: "D", kind: "bool", help: "print causes and stack of an error (env TSBUILD_DEBUG=1)" },
];

export const insecureFlag: FlagSpec = {
  name: "insecure-registry",
  kind: "list",
  value: "HOST",
  help: "HOST may speak plain http, or show any certificate",
};
export const tlsVerifyFlag: FlagSpec = {
  name: "tls-verify",
  kind: "bool",
  help: "=false: every registry is as with --insecure-registry",
};
export const authfileFlag: FlagSpec = {
  name: "authfile",
  kind: "string",
  value: "FILE",
  help: "credentials, looked for first (env REGISTRY_AUTH_FILE)",
};

export const registryFlags: readonly FlagSpec[] = [
  {
    name: "registry-mirror",
    kind: "list",
    value: "HOST=URL",
    help: "ask URL first for images of HOST (env TSBUILD_REGISTRY_MIRROR)",
  },
  insecureFlag,
  tlsVerifyFlag,
  authfileFlag,
];

/** The modes of progress. "none" and "quiet" are the same. */
export const progressModes: readonly string[] = ["auto", "tty", "plain", "rawjson", "quiet", "none"];

export const progressFlag: FlagSpec = {
  name: "progress",
  kind: "string",
  value: "MODE",
  choices: progressModes,
  help: "auto, tty, plain, rawjson or quiet (env BUILDKIT_PROGRESS)",
};

export const platformFlag: FlagSpec = {
  name: "platform",
  kind: "string",
  value: "OS/ARCH",
  help: "platform of the image, such as linux/arm64",
};

export const networks: readonly string[] = ["default", "own", "none", "host"];
export const pullPolicies: readonly string[] = ["always", "missing", "never", "newer", "true", "false"];

export const formatFlag: FlagSpec = {
  name: "format",
  kind: "string",
  value: "FORMAT",
  help: "table, json or a Go template: '{{.ID}}'",
};
export const quietIds: FlagSpec = { name: "quiet", short: "q", kind: "bool", help: "print IDs only" };
export const noTrunc: FlagSpec = { name: "no-trunc", kind: "bool", help: "do not shorten IDs and commands" };

/** What a container of `build` and one of `run` can have. */
export const containerFlags: readonly FlagSpec[] = [
  { name: "add-host", kind: "list", value: "NAME:IP", help: "a line of /etc/hosts; host-gateway: the host's" },
  { name: "ulimit", kind: "list", value: "NAME=N[:N]", help: "soft and hard limit: nofile=1024:2048" },
  { name: "shm-size", kind: "string", value: "BYTES", help: "size of /dev/shm (default 64m)" },
  { name: "cgroup-parent", kind: "string", value: "PATH", help: "control group that its own are made in: /parent" },
];

/** Limits of a container of `run`; build has --resource. */
export const limitFlags: readonly FlagSpec[] = [
  { name: "memory", short: "m", kind: "string", value: "BYTES", help: "limit of memory: 512m, 2g" },
  { name: "memory-swap", kind: "string", value: "BYTES", help: "limit of memory and swap; -1: none" },
  { name: "cpu-shares", short: "c", kind: "string", value: "N", help: "weight of processor time (1024 is usual)" },
  { name: "cpu-period", kind: "string", value: "USEC", help: "period of --cpu-quota (100000)" },
  { name: "cpu-quota", kind: "string", value: "USEC", help: "processor time in each period" },
  { name: "cpuset-cpus", kind: "string", value: "LIST", help: "processors that may be used: 0-2,4" },
  { name: "cpuset-mems", kind: "string", value: "LIST", help: "memory nodes that may be used: 0" },
  { name: "pids-limit", kind: "string", value: "N", help: "limit of processes; -1: none" },
];

export function missing(...names: readonly string[]): readonly MissingFlag[] {
  return names.map((name) => {
    const [long = "", short] = name.split("/");
    return short === undefined ? { name: long } : { name: long, short };
  });
}
