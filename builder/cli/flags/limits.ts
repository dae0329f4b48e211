import { isIP } from "node:net";
import { TsbuildError } from "../../../native/errors.ts";
import { deviceGrants, isDeviceGrant } from "../../inputs/cdi/grants.ts";
import { parseBytes } from "../../base/byte-size.ts";
import { parseUlimit, ulimitNames, type Ulimit } from "../../base/ulimit.ts";
import type { ResourceOptions } from "../../options/options.ts";
import type { HostAddress } from "../../ops/container/host-address.ts";
import type { Entitlement } from "../../graph/entitlement.ts";
import { hostGateway, parseCgroupParent } from "../../../runtime/index.ts";
import { parseCsv } from "../base/csv.ts";
import type { ParsedFlags } from "./parsed-flags.ts";
import { closest } from "../base/suggest.ts";
import { UsageError } from "../base/usage-error.ts";

/** `NAME:IP` or `NAME=IP` words; an IPv6 address may stand in brackets, host-gateway is the host's. @throws E_USAGE */
export function addHosts(words: readonly string[]): readonly HostAddress[] {
  return words.map((word) => {
    const at = word.search(/[=:]/);
    const name = word.slice(0, Math.max(0, at));
    const written = word.slice(at + 1);
    const address = written.replace(/^\[(.*)\]$/, "$1");
    if (/^[\w.-]+$/.test(name) && (isIP(address) !== 0 || address === hostGateway)) return { name, address };
    throw new UsageError(`--add-host is no NAME=IP: ${JSON.stringify(word)}`, { hint: "--add-host db=10.0.0.2" });
  });
}

/** @throws E_USAGE */
export function ulimits(words: readonly string[]): readonly Ulimit[] {
  return words.map((word) => {
    const limit = parseUlimit(word);
    if (limit !== undefined) return limit;
    throw new UsageError(`--ulimit is no NAME=SOFT[:HARD]: ${JSON.stringify(word)}`, {
      hint: `--ulimit nofile=1024:2048; names are ${ulimitNames.join(", ")}`,
    });
  });
}

/** @throws E_USAGE */
export function shmSize(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const bytes = parseBytes(text);
  if (bytes !== undefined && bytes > 0) return bytes;
  throw new UsageError(`--shm-size is no size: ${JSON.stringify(text)}`, { hint: "--shm-size 128m" });
}

/** @throws E_CGROUP_PARENT */
export function cgroupParent(text: string | undefined): string | undefined {
  if (text === undefined || text === "") return undefined;
  asUsage(() => void parseCgroupParent(text), "--cgroup-parent /parent");
  return text;
}

const entitlements = ["network.host", "security.insecure", "device"] as const;

/** @throws E_USAGE, E_OPTION_NOT_IMPLEMENTED, E_DEVICE_NAME */
export function allowed(words: readonly string[]): readonly Entitlement[] {
  asUsage(() => void deviceGrants(words), "--allow device");
  return words.map((word) => {
    const found = entitlements.find((one) => one === word);
    if (found !== undefined) return found;
    if (isDeviceGrant(word)) return word;
    const known = /^(?:fs\.\w+|ssh)(?:=|$)/.test(word);
    throw new UsageError(`--allow ${word} is ${known ? "not implemented" : "no entitlement"}`, {
      ...(known ? { code: "E_OPTION_NOT_IMPLEMENTED" } : {}),
      hint: `entitlements are ${entitlements.join(", ")}, device=vendor.com/class=name`,
    });
  });
}

/** What the engine would say, said by the command line. */
function asUsage(act: () => void, hint: string): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof TsbuildError)) throw error;
    throw new UsageError(error.message, { code: error.code, hint: error.hint ?? hint });
  }
}

const resourceKeys: Readonly<Record<string, (value: string) => ResourceOptions | undefined>> = {
  memory: (value) => withNumber(enoughMemory(value), (memory) => ({ memory })),
  "memory-swap": (value) => withNumber(value === "-1" ? -1 : parseBytes(value), (memorySwap) => ({ memorySwap })),
  "cpu-shares": (value) => withNumber(whole(value, 2, 262_144), (cpuShares) => ({ cpuShares })),
  "cpu-period": (value) => withNumber(whole(value, 1000, 1_000_000), (cpuPeriod) => ({ cpuPeriod })),
  "cpu-quota": (value) => withNumber(whole(value, 1000, 1e12), (cpuQuota) => ({ cpuQuota })),
  "cpuset-cpus": (value) => (isCpuList(value) ? { cpusetCpus: value } : undefined),
  "cpuset-mems": (value) => (isCpuList(value) ? { cpusetMems: value } : undefined),
};

/** Bytes of the least memory that a container can begin with, as docker has it. */
const minMemory = 6 << 20;

/** The bytes of a limit of memory; undefined: it is none. */
export function enoughMemory(text: string): number | undefined {
  const bytes = parseBytes(text);
  return bytes === undefined || bytes < minMemory ? undefined : bytes;
}

const examples: Readonly<Record<string, string>> = {
  memory: "--memory 1g",
  "memory-swap": "--memory-swap 2g, or -1",
  "cpu-shares": "--cpu-shares 512",
  "cpu-period": "--cpu-period 100000",
  "cpu-quota": "--cpu-quota 50000",
  "cpuset-cpus": "--cpuset-cpus 0-1",
  "cpuset-mems": "--cpuset-mems 0",
};

/** `memory=1g,cpu-quota=50000` words: the limits of every RUN. @throws E_USAGE */
export function resources(words: readonly string[]): ResourceOptions {
  const out = words.flatMap((word) => parseCsv(word, "--resource")).map(([key, value]) => resource(key, value));
  return Object.assign({}, ...out);
}

/** Docker's flags for the same limits, one each. @throws E_USAGE */
export function resourceFlags(flags: ParsedFlags): ResourceOptions {
  const given = Object.keys(resourceKeys).filter((key) => flags.has(key));
  const pids = flags.has("pids-limit") ? pidsLimit(flags.string("pids-limit") ?? "") : {};
  return Object.assign(pids, ...given.map((key) => limitOf(key, flags.string(key), `--${key}`)));
}

/** Docker's -1 and 0 are no limit. */
function pidsLimit(text: string): ResourceOptions {
  if (text === "-1" || text === "0") return {};
  const pids = whole(text, 1, 4_194_304);
  if (pids !== undefined) return { pids };
  throw new UsageError(`--pids-limit cannot be ${JSON.stringify(text)}`, { hint: "--pids-limit 100" });
}

function resource(key: string, value: string | undefined): ResourceOptions {
  if (!Object.hasOwn(resourceKeys, key)) {
    const near = closest(key, Object.keys(resourceKeys));
    throw new UsageError(`--resource does not know ${JSON.stringify(key)}`, {
      hint: near === undefined ? `it knows ${Object.keys(resourceKeys).join(", ")}` : `did you mean ${near}?`,
    });
  }
  return limitOf(key, value, `--resource ${key}`);
}

function limitOf(key: string, value: string | undefined, shown: string): ResourceOptions {
  const limit = value === undefined ? undefined : resourceKeys[key]?.(value);
  if (limit !== undefined) return limit;
  const what = key === "memory" ? ": a size of at least 6m" : "";
  throw new UsageError(`${shown} cannot be ${JSON.stringify(value ?? "")}${what}`, {
    hint: shown.startsWith("--resource")
      ? "--resource memory=1g,cpu-quota=50000,cpuset-cpus=0-1"
      : (examples[key] ?? ""),
  });
}

function withNumber(value: number | undefined, make: (value: number) => ResourceOptions): ResourceOptions | undefined {
  return value === undefined ? undefined : make(value);
}

function whole(text: string, least: number, most: number): number | undefined {
  const value = /^\d{1,12}$/.test(text) ? Number(text) : NaN;
  return value >= least && value <= most ? value : undefined;
}

function isCpuList(text: string): boolean {
  return /^\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*$/.test(text);
}
