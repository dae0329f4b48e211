import { UsageError } from "../base/usage-error.ts";

/** A value that Go would have as a typed nil: a list, map or pointer that an image does not set. */
export class GoNil {
  readonly kind: "list" | "map" | "pointer";

  constructor(kind: "list" | "map" | "pointer") {
    this.kind = kind;
  }

  toJSON(): null {
    return null;
  }
}

export const nilList: GoNil = new GoNil("list");
export const nilMap: GoNil = new GoNil("map");
export const nilPointer: GoNil = new GoNil("pointer");

const maps = new WeakSet<object>();

/** Says that an object is a map: it may be asked for any key. Other objects whose keys look like fields are structs. */
export function asMap<T extends object>(value: T): T {
  maps.add(value);
  return value;
}

/** A struct: to ask for a field that it lacks is a mistake. */
function isStruct(value: object): boolean {
  const first = Object.keys(value)[0];
  return !maps.has(value) && first !== undefined && /^[A-Z][A-Za-z0-9]*$/.test(first);
}

/** What Go's templates take for true. */
export function truth(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === "") return false;
  if (value instanceof GoNil) return false;
  if (Array.isArray(value)) return value.length > 0;
  return typeof value !== "object" || isStruct(value) || Object.keys(value).length > 0;
}

/** Elements of a list, bytes of a text, entries of a map. */
export function sizeOf(value: unknown): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (value instanceof GoNil && value.kind !== "pointer") return 0;
  if (typeof value === "object" && value !== null && !(value instanceof GoNil)) return Object.keys(value).length;
  throw cannot(`take the length of ${show(value)}`);
}

/** An element of a list by number, of a map by key; maps have a zero value for any key. */
export function elementOf(value: unknown, key: unknown): unknown {
  if (Array.isArray(value) || typeof value === "string") {
    const list: ArrayLike<unknown> = typeof value === "string" ? Buffer.from(value) : value;
    const at = Number(key);
    if (Number.isInteger(at) && at >= 0 && at < list.length) return list[at];
    throw cannot(`take element ${String(key)} of ${list.length}`);
  }
  if (value instanceof GoNil && value.kind === "map") return "";
  if (value === undefined || value === null || value instanceof GoNil) throw cannot("index what is not there");
  if (typeof value !== "object") throw cannot(`index ${show(value)}`);
  const found: unknown = Object.getOwnPropertyDescriptor(value, String(key))?.value;
  return found === undefined && Object.values(value).every((one) => typeof one === "string") ? "" : found;
}

/** What `range` goes through: keys of maps in order, as Go walks them. */
export function entriesOf(value: unknown): readonly (readonly [unknown, unknown])[] {
  if (value === undefined || value === null || value instanceof GoNil) return [];
  if (Array.isArray(value)) return value.map((item, i): readonly [unknown, unknown] => [i, item]);
  if (typeof value === "object") return Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  if (typeof value === "number" && Number.isInteger(value) && value < 1e6)
    return Array.from({ length: Math.max(0, value) }, (_, i): readonly [unknown, unknown] => [i, i]);
  throw cannot(`range over ${show(value)}`);
}

/** The value of a field or key. @throws E_TEMPLATE when a struct has no such field */
export function fieldOf(value: unknown, name: string): unknown {
  if (value === undefined || value === null || (value instanceof GoNil && value.kind === "map")) return undefined;
  if (typeof value !== "object" || value instanceof GoNil || Array.isArray(value)) throw missing(name, value);
  const found = Object.getOwnPropertyDescriptor(value, name);
  if (found === undefined && isStruct(value)) throw missing(name, value);
  return found?.value;
}

/** A value as Go's fmt prints it by `%v`; what a template prints for nothing is `<no value>`. */
export function show(value: unknown): string {
  return value === undefined || value === null ? "<no value>" : shown(value);
}

/** As show(), below other values and in print: `<nil>`. */
export function shown(value: unknown): string {
  if (value === undefined || value === null) return "<nil>";
  if (value instanceof GoNil) return value.kind === "list" ? "[]" : value.kind === "map" ? "map[]" : "<nil>";
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return `[${value.map((one) => shown(one)).join(" ")}]`;
  if (typeof value !== "object") return String(value);
  const struct = isStruct(value) || (Object.keys(value).length === 0 && !maps.has(value));
  if (struct) return `{${Object.values(value).map(shown).join(" ")}}`;
  return `map[${entriesOf(value)
    .map(([key, item]) => `${String(key)}:${shown(item)}`)
    .join(" ")}]`;
}

/** @throws E_TEMPLATE */
export function cannot(what: string): UsageError {
  return new UsageError(`Cannot format: it is not possible to ${what}`, {
    code: "E_TEMPLATE",
    hint: "--format json shows what there is",
  });
}

function missing(name: string, value: unknown): UsageError {
  const struct = typeof value === "object" && value !== null && !(value instanceof GoNil) && !Array.isArray(value);
  const hint = struct ? `fields: ${Object.keys(value).join(", ")}` : "--format json shows what there is";
  return new UsageError(`Cannot format: there is no field .${name}`, { code: "E_TEMPLATE", hint });
}
