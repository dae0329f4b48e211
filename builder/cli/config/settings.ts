import type { OwnChecks } from "../../lint/own.ts";
import type { NetworkOption } from "../../ops/container/network-option.ts";
import type { PullPolicy } from "../../inputs/source/image/pull-policy.ts";
import { registryTimeoutOf } from "./registry-timeout.ts";
import { closest } from "../base/suggest.ts";
import { UsageError } from "../base/usage-error.ts";

/** What a configuration file may say. */
export interface Settings {
  readonly root?: string;
  readonly progress?: string;
  readonly platform?: string;
  readonly pull?: PullPolicy;
  readonly network?: NetworkOption;
  readonly userns?: string;
  readonly ownChecks?: OwnChecks;
  readonly mirrors: Readonly<Record<string, readonly string[]>>;
  readonly insecure: readonly string[];
  readonly cdiDirectories?: readonly string[];
  /** A duration. */
  readonly registryTimeout?: string;
}

export const emptySettings: Settings = { mirrors: {}, insecure: [] };

/** Later settings win; tables of mirrors are joined by host. */
export function mergeSettings(base: Settings, over: Settings): Settings {
  return {
    ...base,
    ...over,
    mirrors: { ...base.mirrors, ...over.mirrors },
    insecure: [...new Set([...base.insecure, ...over.insecure])],
  };
}

/** How it looks, what it is for, which checks are told: nothing that reaches beyond the Dockerfile's own words. */
const projectKeys = ["progress", "platform", "checkOwn", "network"] as const;
/** The values that a project may choose, where it may not choose any: less network, and not to hide what is done. */
const projectValues: ReadonlyMap<string, readonly unknown[]> = new Map([
  ["network", ["none"]],
  ["progress", ["auto", "tty", "plain", "rawjson"]],
]);
const userKeys = [
  ...projectKeys,
  "pull",
  "root",
  "userns",
  "registryMirrors",
  "insecureRegistries",
  "registryTimeout",
  "cdiSpecDirs",
] as const;

const elsewhereHint = "set it in $XDG_CONFIG_HOME/tsbuild/config.json or /etc/tsbuild/config.json";

/**
 * Reads a configuration file. One that is not `trusted` (./tsbuild.json comes with a source tree that somebody else
 * may have written) gives no right, moves nothing and says not whom to trust or ask. @throws E_CONFIG
 */
export function parseSettings(text: string, path: string, trusted: boolean): Settings {
  const table = parseObject(text, path);
  const allowed: readonly string[] = trusted ? userKeys : projectKeys;
  for (const key of Object.keys(table)) {
    if (allowed.includes(key)) continue;
    const meant = closest(key, allowed);
    const elsewhere = (userKeys as readonly string[]).includes(key);
    throw configError(`${path}: setting ${JSON.stringify(key)} is ${elsewhere ? "not allowed here" : "unknown"}`, {
      hint: elsewhere
        ? elsewhereHint
        : meant === undefined
          ? `settings are ${allowed.join(", ")}`
          : `did you mean ${JSON.stringify(meant)}?`,
    });
  }
  if (!trusted) checkProjectValues(table, path);
  return {
    ...text1("root", (value) => value.startsWith("/")),
    ...text1("progress", (value) => ["auto", "tty", "plain", "rawjson", "quiet", "none"].includes(value)),
    ...text1("platform", (value) => value.includes("/")),
    ...text1("pull", isPullPolicy),
    ...text1("network", isNetwork),
    ...ownChecksSetting(table["checkOwn"], path),
    ...text1("userns", (value) => value === "auto" || value === "single"),
    ...text1("registryTimeout", (value) => registryTimeoutOf(value) !== undefined),
    mirrors: mirrors(table["registryMirrors"], path),
    insecure: strings(table["insecureRegistries"] ?? [], "insecureRegistries", path),
    ...(table["cdiSpecDirs"] === undefined
      ? {}
      : { cdiDirectories: strings(table["cdiSpecDirs"], "cdiSpecDirs", path) }),
  };

  function text1<K extends string, V extends string>(key: K, is: (value: string) => value is V): { [P in K]?: V };
  function text1<K extends string>(key: K, is: (value: string) => boolean): { [P in K]?: string };
  function text1(key: string, is: (value: string) => boolean): Record<string, string> {
    const value = table[key];
    if (value === undefined) return {};
    if (typeof value === "string" && is(value)) return { [key]: value };
    throw configError(`${path}: setting ${JSON.stringify(key)} cannot be ${JSON.stringify(value)}`, {
      hint: "docs/cli.md lists the values",
    });
  }
}

function checkProjectValues(table: Readonly<Record<string, unknown>>, path: string): void {
  for (const [key, values] of projectValues) {
    const value = table[key];
    if (value === undefined || values.includes(value)) continue;
    throw configError(`${path}: setting ${JSON.stringify(key)} cannot be ${JSON.stringify(value)} here`, {
      hint: `a source tree may say ${values.join(", ")}; for others ${elsewhereHint}, or give --${key}`,
    });
  }
}

/** Of `--check-own` and of the setting, which may also be a truth value. */
export function ownChecksOf(value: unknown): OwnChecks | undefined {
  if (value === "error" || typeof value === "boolean") return value;
  return value === "true" ? true : value === "false" ? false : undefined;
}

function ownChecksSetting(value: unknown, path: string): Pick<Settings, "ownChecks"> {
  if (value === undefined) return {};
  const ownChecks = ownChecksOf(value);
  if (ownChecks !== undefined) return { ownChecks };
  throw configError(`${path}: setting "checkOwn" cannot be ${JSON.stringify(value)}`, {
    hint: 'it is true, false or "error"',
  });
}

/** `HOST=URL` words as a table; a host may have several. @throws E_USAGE */
export function parseMirrors(words: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  for (const word of words) {
    if (word === "") continue;
    const equals = word.indexOf("=");
    const host = word.slice(0, Math.max(0, equals));
    const url = word.slice(equals + 1);
    if (host === "" || !isMirrorUrl(url)) {
      throw new UsageError(`Registry mirror ${JSON.stringify(word)} is not HOST=URL`, {
        hint: "--registry-mirror docker.io=http://127.0.0.1:5000",
      });
    }
    found.set(host, [...(found.get(host) ?? []), url]);
  }
  return Object.fromEntries(found);
}

export function isPullPolicy(value: string): value is PullPolicy {
  return ["always", "missing", "never", "newer"].includes(value);
}

export function isNetwork(value: string): value is NetworkOption {
  return ["default", "own", "none", "host"].includes(value);
}

function isMirrorUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:\/\//.test(text);
}

function parseObject(text: string, path: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw configError(`${path}: it is not JSON: ${cause instanceof Error ? cause.message : ""}`, {
      cause,
      hint: "mend it",
    });
  }
  if (!isObject(value)) throw configError(`${path}: it is not a JSON object`, { hint: 'write {"progress": "plain"}' });
  return value;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function mirrors(value: unknown, path: string): Readonly<Record<string, readonly string[]>> {
  if (value === undefined) return {};
  if (!isObject(value)) throw configError(`${path}: registryMirrors is not an object`, mirrorHint);
  const read = ([host, urls]: [string, unknown]): [string, readonly string[]] => {
    const list = strings(urls, `registryMirrors.${host}`, path);
    if (list.every(isMirrorUrl)) return [host, list];
    throw configError(`${path}: registryMirrors.${host} is not a URL`, mirrorHint);
  };
  return Object.fromEntries(Object.entries(value).map(read));
}

const mirrorHint = { hint: '"registryMirrors": {"docker.io": ["http://127.0.0.1:5000"]}' };

function strings(value: unknown, key: string, path: string): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  const texts = list.filter((item) => typeof item === "string");
  if (Array.isArray(value) && texts.length === list.length) return texts;
  throw configError(`${path}: setting ${key} is not a list of strings`, {
    hint: `"${key.split(".")[0]}": see docs/cli.md`,
  });
}

function configError(message: string, options: { readonly hint: string; readonly cause?: unknown }): UsageError {
  return new UsageError(`Cannot use configuration file ${message}`, { code: "E_CONFIG", ...options });
}
