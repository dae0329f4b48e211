/** An environment in order, `KEY=value` each, as an image config has it. */
export type EnvList = readonly string[];

/** What a shell looks for programs in when an image says nothing. @see BuildKit's system.DefaultPathEnvUnix */
export const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Key and value of `KEY=value`; a key alone has the value "". */
export function splitEnv(entry: string): { readonly key: string; readonly value: string } {
  const at = entry.indexOf("=");
  return at < 0 ? { key: entry, value: "" } : { key: entry.slice(0, at), value: entry.slice(at + 1) };
}

function isOf(entry: string, key: string): boolean {
  return entry.startsWith(key) && (entry.length === key.length ? !key.includes("=") : entry[key.length] === "=");
}

/** The value of a key; the last entry wins. */
export function getEnv(env: EnvList, key: string): string | undefined {
  const entry = env.findLast((one) => isOf(one, key));
  return entry === undefined ? undefined : splitEnv(entry).value;
}

/** With the key set: replaced in its place, or appended. */
export function setEnv(env: EnvList, key: string, value: string): EnvList {
  const known = mapOf(env);
  const entry = `${key}=${value}`;
  const at = known.has(key) ? env.findIndex((one) => isOf(one, key)) : -1;
  const made = at < 0 ? [...env, entry] : env.with(at, entry);
  // The next instruction asks for the map of the new list alone: it takes over that of the old one.
  if (known.size === env.length) {
    maps.delete(env);
    maps.set(made, known.set(key, value));
  }
  return made;
}

/** setEnv() of each in their order, in a time that grows with their number alone. */
export function setEnvs(env: EnvList, pairs: readonly { readonly key: string; readonly value: string }[]): EnvList {
  const [only] = pairs;
  if (only !== undefined && pairs.length === 1) return setEnv(env, only.key, only.value);
  const made = [...env];
  const places = new Map(made.map((entry, at) => [splitEnv(entry).key, at] as const).toReversed());
  for (const { key, value } of pairs) {
    const at = places.get(key) ?? made.length;
    places.set(key, at);
    made[at] = `${key}=${value}`;
  }
  return made;
}

const maps = new WeakMap<EnvList, Map<string, string>>();

/** As a map, for expansion: valid until the list is changed. Made once for a list and those made of it. */
export function envMap(env: EnvList): ReadonlyMap<string, string> {
  return mapOf(env);
}

function mapOf(env: EnvList): Map<string, string> {
  const known = maps.get(env);
  if (known !== undefined) return known;
  const made = new Map(env.map((entry) => Object.values(splitEnv(entry)) as [string, string]));
  maps.set(env, made);
  return made;
}
