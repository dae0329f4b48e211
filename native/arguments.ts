import { TsbuildError } from "./errors.ts";

/** What an option of a library call has to be: of a kind, with `!` behind it if it has to be there, or one of some words. */
export type OptionKind = Kind | `${Kind}!` | readonly string[];
type Kind =
  | "text"
  | "string"
  | "strings"
  | "list"
  | "record"
  | "texts"
  | "number"
  | "boolean"
  | "call"
  | "signal"
  | "source"
  | "sink"
  /** Of several kinds: whoever uses it looks. */
  | "any";

interface KindOf {
  readonly is: (value: unknown) => boolean;
  readonly name: string;
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
const isRecord = (value: unknown): value is object => isObject(value) && !Array.isArray(value);
const isText = (value: unknown): boolean => typeof value === "string";
const has = (value: unknown, key: PropertyKey): boolean =>
  isObject(value) && key in value && typeof Reflect.get(value, key) === "function";

const kinds: Readonly<Record<Kind, KindOf>> = {
  text: { is: (value) => isText(value) && value !== "", name: "a string that is not empty" },
  string: { is: isText, name: "a string" },
  strings: { is: (value) => Array.isArray(value) && value.every(isText), name: "an array of strings" },
  list: { is: Array.isArray, name: "an array" },
  record: { is: isRecord, name: "an object" },
  texts: { is: (value) => isRecord(value) && Object.values(value).every(isText), name: "an object with strings" },
  number: { is: (value) => typeof value === "number" && !Number.isNaN(value), name: "a number" },
  boolean: { is: (value) => typeof value === "boolean", name: "true or false" },
  call: { is: (value) => typeof value === "function", name: "a function" },
  signal: { is: (value) => value instanceof AbortSignal, name: "an AbortSignal" },
  source: { is: (value) => has(value, Symbol.asyncIterator), name: "an async iterable of bytes, such as a Readable" },
  sink: { is: (value) => has(value, "write"), name: "a Writable" },
  any: { is: () => true, name: "anything" },
};

/** The options of a call, each with what it has to be. */
export type OptionTable<T> = { readonly [K in keyof Required<T>]: OptionKind };

/**
 * Refuses options that are missing, of the wrong kind or not known: TypeScript would have, a program without types hears
 * of it here and not from deep inside. The table has every option that the call's type has. @throws E_ARGUMENT
 */
export function checkOptions<T>(call: string, given: T, table: OptionTable<NoInfer<T>>): void {
  const wanted: ReadonlyMap<string, OptionKind> = new Map(Object.entries<OptionKind>(table));
  if (!isRecord(given)) throw refuse(call, `it takes an object of options, not ${shown(given)}`, wanted);
  for (const [name, kind] of wanted) {
    const value: unknown = Reflect.get(given, name);
    if (value === undefined && isNeeded(kind)) throw refuse(call, `the option ${name} is missing`, wanted);
    const { is, name: what } = kindOf(kind);
    if (value !== undefined && !is(value))
      throw refuse(call, `the option ${name} must be ${what}, not ${shown(value)}`, wanted);
  }
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined && !wanted.has(name)) throw refuse(call, `unknown option ${JSON.stringify(name)}`, wanted);
  }
}

function isNeeded(kind: OptionKind): boolean {
  return typeof kind === "string" && kind.endsWith("!");
}

function kindOf(kind: OptionKind): KindOf {
  if (typeof kind === "string") return kinds[kind.replace("!", "") as Kind];
  return { is: (value) => typeof value === "string" && kind.includes(value), name: kind.join(", ") };
}

function refuse(call: string, why: string, wanted: ReadonlyMap<string, OptionKind>): TsbuildError {
  const names = [...wanted].map(([name, kind]) => (isNeeded(kind) ? name : `${name}?`));
  return new TsbuildError(`Cannot call ${call}(): ${why}`, {
    code: "E_ARGUMENT",
    hint: `its options are { ${names.join(", ")} }; docs/library.md has examples`,
  });
}

function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 40));
  if (isObject(value)) return Array.isArray(value) ? "such an array" : "such an object";
  return typeof value === "function" ? "a function" : String(value);
}
