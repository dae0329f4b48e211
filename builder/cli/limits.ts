import { isIP } from "node:net";
import { TsbuildError } from "../../native/errors.ts";
import { deviceGrants, isDeviceGrant } from "../cdi/grants.ts";
import { parseBytes } from "../dockerfile/byte-size.ts";
import { parseUlimit, ulimitNames, type Ulimit } from "../dockerfile/ulimit.ts";
import type { Entitlement, HostAddress, ResourceOptions } from "../options.ts";
import { parseCsv } from "./csv.ts";
import { closest } from "./suggest.ts";
import { UsageError } from "./usage-error.ts";

/** `NAME:IP` or `NAME=IP` words; an IPv6 address may stand in brackets. @throws E_USAGE */
export function addHosts(words: readonly string[]): readonly HostAddress[] {
  return words.map((word) => {
    const at = word.search(/[=:]/);
    const name = word.slice(0, Math.max(0, at));
    const written = word.slice(at + 1);
    const address = written.replace(/^\[(.*)\]$/, "$1");
    if (address === "host-gateway") {
      throw new UsageError("--add-host with host-gateway is not implemented", {
        code: "E_OPTION_NOT_IMPLEMENTED",
        hint: `give the host's address: --add-host ${name}=192.0.2.1`,
      });
    }
    if (/^[\w.-]+$/.test(name) && isIP(address) !== 0) return { name, address };
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

const entitlements = ["network.host", "security.insecure", "device"] as const;

/** @throws E_USAGE, E_OPTION_NOT_IMPLEMENTED, E_DEVICE_NAME */
export function allowed(words: readonly string[]): readonly Entitlement[] {
  checkGrants(words);
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

function checkGrants(words: readonly string[]): void {
  try {
    deviceGrants(words);
  } catch (error) {
    if (!(error instanceof TsbuildError)) throw error;
    throw new UsageError(error.message, { code: error.code, hint: error.hint ?? "--allow device" });
  }
}

const resourceKeys: Readonly<Record<string, (value: string) => ResourceOptions | undefined>> = {
  memory: (value) => withNumber(parseBytes(value), (memory) => ({ memory })),
  "memory-swap": (value) => withNumber(value === "-1" ? -1 : parseBytes(value), (memorySwap) => ({ memorySwap })),
  "cpu-shares": (value) => withNumber(whole(value, 2, 262_144), (cpuShares) => ({ cpuShares })),
  "cpu-period": (value) => withNumber(whole(value, 1000, 1_000_000), (cpuPeriod) => ({ cpuPeriod })),
  "cpu-quota": (value) => withNumber(whole(value, 1000, 1e12), (cpuQuota) => ({ cpuQuota })),
  "cpuset-cpus": (value) => (isCpuList(value) ? { cpusetCpus: value } : undefined),
  "cpuset-mems": (value) => (isCpuList(value) ? { cpusetMems: value } : undefined),
};

/** `memory=1g,cpu-quota=50000` words: the limits of every RUN. @throws E_USAGE */
export function resources(words: readonly string[]): ResourceOptions {
  const out = words.flatMap((word) => parseCsv(word, "--resource")).map(([key, value]) => resource(key, value));
  return Object.assign({}, ...out);
}

function resource(key: string, value: string | undefined): ResourceOptions {
  const read = Object.hasOwn(resourceKeys, key) ? resourceKeys[key] : undefined;
  if (read === undefined) {
    const near = closest(key, Object.keys(resourceKeys));
    throw new UsageError(`--resource does not know ${JSON.stringify(key)}`, {
      hint: near === undefined ? `it knows ${Object.keys(resourceKeys).join(", ")}` : `did you mean ${near}?`,
    });
  }
  const limit = value === undefined ? undefined : read(value);
  if (limit !== undefined) return limit;
  throw new UsageError(`--resource ${key} cannot be ${JSON.stringify(value ?? "")}`, {
    hint: "--resource memory=1g,cpu-quota=50000,cpuset-cpus=0-1",
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
