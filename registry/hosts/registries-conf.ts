import { TableReader } from "./table.ts";

/** Where the images of a prefix really are: `location` takes the prefix's place. */
export interface RegistryLocation {
  /** `host[:port][/path]`; empty: the name stays as it is. */
  readonly location: string;
  /** Plain http is allowed, and certificates are not verified. */
  readonly insecure: boolean;
}

/** A mirror that is asked before the registry itself. */
export interface RegistryMirror extends RegistryLocation {
  /** For which names: those with a digest, those with a tag, or all. */
  readonly pullFromMirror: "all" | "digest-only" | "tag-only";
}

/** One `[[registry]]`. */
export interface RegistryRule extends RegistryLocation {
  /** `host[:port][/path]` or `*.domain`. */
  readonly prefix: string;
  readonly blocked: boolean;
  readonly mirrors: readonly RegistryMirror[];
  /** Where it is written. */
  readonly file: string;
}

/** What registries.conf and its drop-ins say, as far as it counts here. */
export interface RegistriesConf {
  readonly rules: readonly RegistryRule[];
  /** Where other programs look for names without a host; here these are docker.io's, as in Dockerfiles everywhere. */
  readonly searched: readonly string[];
}

export const noRegistriesConf: RegistriesConf = { rules: [], searched: [] };

/** @throws E_REGISTRY_CONFIG @see containers-registries.conf(5) */
export function parseRegistriesConf(text: string, file: string): RegistriesConf {
  const table = TableReader.parse(text, file);
  if (table.value("registries") !== undefined) {
    throw table.wrong("registries", "is of version 1 of the format: write [[registry]] tables");
  }
  return {
    rules: table.tables("registry").map((one) => parseRule(one, file)),
    searched: table.texts("unqualified-search-registries") ?? [],
  };
}

/** The later file's tables take the place of those with the same prefix. Of one file the first one counts. */
export function mergeRegistriesConf(base: RegistriesConf, over: RegistriesConf): RegistriesConf {
  const rules = new Map(base.rules.map((rule) => [rule.prefix, rule]));
  for (const rule of over.rules.toReversed()) rules.set(rule.prefix, rule);
  return { rules: [...rules.values()], searched: over.searched.length > 0 ? over.searched : base.searched };
}

/** The rule with the longest prefix of a name (`host/path`), and how much of the name the prefix is. */
export function findRule(
  rules: readonly RegistryRule[],
  name: string,
): { readonly rule: RegistryRule; readonly matched: number } | undefined {
  const slash = name.indexOf("/");
  const host = slash < 0 ? name : name.slice(0, slash);
  let best: { readonly rule: RegistryRule; readonly matched: number } | undefined;
  for (const rule of rules) {
    const matched = matchPrefix(name, host, rule.prefix);
    if (matched !== undefined && (best === undefined || rule.prefix.length > best.rule.prefix.length))
      best = { rule, matched };
  }
  return best;
}

/** How many characters of the name the prefix stands for. A port is part of the host: it has to be in the prefix. */
function matchPrefix(name: string, host: string, prefix: string): number | undefined {
  if (prefix.startsWith("*.")) return host.endsWith(prefix.slice(1)) ? host.length : undefined;
  if (name === prefix || name.startsWith(`${prefix}/`)) return prefix.length;
  return undefined;
}

function parseRule(table: TableReader, file: string): RegistryRule {
  const location = parseLocation(table, "location");
  const prefix = parseLocation(table, "prefix") || location;
  if (prefix === "") throw table.wrong("prefix", "and location are both missing");
  const wildcard = prefix.startsWith("*.");
  if (wildcard && /[/:@]/.test(prefix)) throw table.wrong("prefix", `is ${prefix}: only *.domain may have a wildcard`);
  if (!wildcard && location === "") throw table.wrong("location", "is missing");
  const digestOnly = table.bool("mirror-by-digest-only") === true;
  return {
    prefix,
    location,
    insecure: table.bool("insecure") === true,
    blocked: table.bool("blocked") === true,
    mirrors: table.tables("mirror").map((one) => parseMirror(one, digestOnly)),
    file,
  };
}

function parseMirror(table: TableReader, digestOnly: boolean): RegistryMirror {
  const location = parseLocation(table, "location");
  if (location === "") throw table.wrong("location", "is missing");
  const use = table.text("pull-from-mirror") ?? (digestOnly ? "digest-only" : "all");
  if (use !== "all" && use !== "digest-only" && use !== "tag-only") {
    throw table.wrong("pull-from-mirror", `cannot be ${JSON.stringify(use)}: all, digest-only or tag-only`);
  }
  return { location, insecure: table.bool("insecure") === true, pullFromMirror: use };
}

function parseLocation(table: TableReader, key: string): string {
  const location = (table.text(key) ?? "").replace(/\/+$/, "");
  if (location.includes("://")) throw table.wrong(key, `is ${location}: a host without a scheme is wanted`);
  if (location !== "" && !/^(?:\*\.)?[\w.[\]:-]+(?:\/[\w./-]+)?$/.test(location))
    throw table.wrong(key, `is ${JSON.stringify(location)}, which is no host[:port][/path]`);
  return location;
}
