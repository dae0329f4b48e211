import { parseBytes } from "../base/byte-size.ts";
import { csvFields, csvText } from "../base/csv.ts";
import { suggest } from "../base/suggest.ts";

/** What `RUN --mount=` says, with the defaults that do not depend on the stage. Paths as written. */
export interface MountFlag {
  readonly type: MountType;
  readonly from: string | undefined;
  readonly source: string | undefined;
  readonly target: string | undefined;
  readonly readonly: boolean;
  readonly id: string | undefined;
  readonly env: string | undefined;
  readonly sharing: CacheSharing | undefined;
  readonly required: boolean;
  /** Bytes. */
  readonly size: number | undefined;
  readonly mode: number | undefined;
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

export type MountType = "bind" | "cache" | "tmpfs" | "secret" | "ssh";
export type CacheSharing = "shared" | "private" | "locked";

/** Why a flag cannot be read. `field` is the part of it that is wrong. */
export class MountFlagError extends Error {
  override readonly name: string = "MountFlagError";
  readonly field: string;
  readonly hint: string | undefined;

  constructor(message: string, field: string, hint?: string) {
    super(message);
    this.field = field;
    this.hint = hint;
  }
}

const types: readonly MountType[] = ["bind", "cache", "tmpfs", "secret", "ssh"];
const sharings: readonly CacheSharing[] = ["shared", "private", "locked"];
const names: ReadonlyMap<string, string> = new Map([
  ["src", "source"],
  ["dst", "target"],
  ["destination", "target"],
  ["ro", "readonly"],
  ["rw", "readwrite"],
]);
const bare = new Set(["readonly", "readwrite", "required"]);
const owned: readonly MountType[] = ["cache", "secret", "ssh"];
/** Keys that not every type has. */
const limited: ReadonlyMap<string, readonly MountType[]> = new Map(
  Object.entries({
    from: ["bind", "cache"],
    source: ["bind", "cache", "secret"],
    // Those of the other types have no meaning there, and BuildKit takes them.
    id: types,
    readonly: types,
    readwrite: types,
    required: ["secret", "ssh"],
    size: ["tmpfs"],
    sharing: ["cache"],
    env: ["secret"],
    mode: owned,
    uid: owned,
    gid: owned,
  }),
);
const keys: readonly string[] = ["type", "target", ...limited.keys(), ...names.keys()];

/** The stage, image or context that a mount reads from, without a look at anything else. */
export function mountFrom(text: string): string | undefined {
  const fields = csvFields(text);
  if (typeof fields === "string") return undefined;
  const from = fields.map(pair).findLast(({ key }) => key === "from")?.value;
  return from === "" ? undefined : from;
}

/** The value with another `from`. */
export function withMountFrom(text: string, from: string): string {
  const fields = csvFields(text);
  if (typeof fields === "string") return text;
  return csvText(fields.map((field) => (pair(field).key === "from" ? `from=${from}` : field)));
}

/**
 * Reads the value of --mount; `expand` resolves the variables of a value. Those of `from` are resolved before.
 * @throws MountFlagError; what `expand` throws
 */
export function parseMountFlag(text: string, expand: (value: string) => string): MountFlag {
  const fields = csvFields(text);
  if (typeof fields === "string") throw new MountFlagError(`Cannot read --mount: ${fields}`, text);
  const found = new Map<string, { readonly value: string; readonly field: string }>();
  for (const field of fields) {
    const { key, value } = readField(field);
    found.set(key, { field, value: key === "from" ? (value ?? "") : expand(value ?? "true") });
    if (key === "readonly") found.delete("readwrite");
    if (key === "readwrite") found.delete("readonly");
  }
  const type = chosen(found.get("type"), "type", types) ?? "bind";
  for (const [key, { field }] of found) {
    const allowed = limited.get(key);
    if (allowed === undefined || allowed.includes(type)) continue;
    throw new MountFlagError(`Cannot read --mount: a mount of type ${type} has no ${key}`, field, keysOf(type));
  }
  const text1 = (key: string): string | undefined => (found.get(key)?.value === "" ? undefined : found.get(key)?.value);
  const number = (key: string, base: 8 | 10): number | undefined => numberOf(found.get(key), key, base);
  const flag: MountFlag = {
    type,
    from: text1("from"),
    source: text1("source"),
    target: text1("target"),
    readonly: readonlyOf(found, type),
    id: text1("id"),
    env: found.get("env")?.value,
    sharing: chosen(found.get("sharing"), "sharing", sharings),
    required: truth(found.get("required"), "required") ?? false,
    size: sizeOf(found.get("size")),
    mode: number("mode", 8),
    uid: number("uid", 10),
    gid: number("gid", 10),
  };
  if (type === "secret") checkSecret(flag, text);
  return flag;
}

type Value = { readonly value: string; readonly field: string };

function pair(field: string): { readonly key: string; readonly value: string | undefined } {
  const equals = field.indexOf("=");
  const written = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
  return { key: names.get(written) ?? written, value: equals < 0 ? undefined : field.slice(equals + 1) };
}

function readField(field: string): ReturnType<typeof pair> {
  const { key, value } = pair(field);
  if (!keys.includes(key)) {
    const near = suggest(key, keys);
    throw new MountFlagError(
      `Cannot read --mount: unknown key ${JSON.stringify(field.split("=", 1)[0] ?? "")}`,
      field,
      near === undefined ? `keys are ${keys.join(", ")}` : `did you mean ${near}?`,
    );
  }
  if (value === undefined && !bare.has(key))
    throw new MountFlagError(`Cannot read --mount: ${key} needs a value`, field, `write ${key}=value`);
  return { key, value };
}

function chosen<T extends string>(found: Value | undefined, key: string, options: readonly T[]): T | undefined {
  if (found === undefined) return undefined;
  const value = options.find((option) => option === found.value.toLowerCase());
  if (value !== undefined) return value;
  const near = suggest(found.value, options);
  throw new MountFlagError(
    `Cannot read --mount: ${key} cannot be ${JSON.stringify(found.value)}`,
    found.field,
    near === undefined ? `it is ${options.join(", ")}` : `did you mean ${near}?`,
  );
}

/** As Go's strconv.ParseBool. */
function truth(found: Value | undefined, key: string): boolean | undefined {
  if (found === undefined) return undefined;
  if (["1", "t", "T", "true", "TRUE", "True"].includes(found.value)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(found.value)) return false;
  throw new MountFlagError(`Cannot read --mount: ${key} is true or false`, found.field);
}

/** What is not said: caches and tmpfs are for writing, all else is not. */
function readonlyOf(found: ReadonlyMap<string, Value>, type: MountType): boolean {
  const said = truth(found.get("readonly"), "readonly");
  if (said !== undefined) return said;
  const writable = truth(found.get("readwrite"), "readwrite");
  return writable === undefined ? type !== "cache" && type !== "tmpfs" : !writable;
}

function numberOf(found: Value | undefined, key: string, base: 8 | 10): number | undefined {
  if (found === undefined) return undefined;
  const number = (base === 8 ? /^[0-7]{1,11}$/ : /^\d{1,10}$/).test(found.value)
    ? Number.parseInt(found.value, base)
    : NaN;
  if (number <= (base === 8 ? 0o7777 : 2 ** 32 - 2)) return number;
  throw new MountFlagError(
    `Cannot read --mount: ${key} cannot be ${JSON.stringify(found.value)}`,
    found.field,
    base === 8 ? "write an octal mode: mode=0755" : `write a number: ${key}=1000`,
  );
}

function sizeOf(found: Value | undefined): number | undefined {
  if (found === undefined) return undefined;
  const bytes = parseBytes(found.value);
  if (bytes !== undefined) return bytes;
  throw new MountFlagError(
    `Cannot read --mount: size cannot be ${JSON.stringify(found.value)}`,
    found.field,
    "write a number of bytes, or size=64m",
  );
}

function checkSecret({ id, source, target }: MountFlag, text: string): void {
  if (id === undefined && source === undefined && target === undefined)
    throw new MountFlagError("Cannot mount a secret: it has no id", text, "write --mount=type=secret,id=name");
  if (id !== undefined && source !== undefined)
    throw new MountFlagError("Cannot mount a secret: id and source are the same and both are given", text);
}

function keysOf(type: MountType): string {
  const known = [...limited].flatMap(([key, allowed]) => (allowed.includes(type) ? [key] : []));
  return `type=${type} knows: ${["target", ...known].join(", ")}`;
}
