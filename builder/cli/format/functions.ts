import { UsageError } from "../usage-error.ts";

/** What Go's templates take for true. */
export function truth(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === "") return false;
  if (Array.isArray(value)) return value.length > 0;
  return typeof value !== "object" || Object.keys(value).length > 0;
}

type TemplateFunction = (args: readonly unknown[]) => unknown;

const functions: Readonly<Record<string, TemplateFunction>> = {
  json: ([value]) => JSON.stringify(value ?? null),
  index: ([value, ...keys]) => keys.reduce(element, value),
  println: (args) => `${args.map(text).join(" ")}\n`,
  print: (args) => args.map(text).join(""),
  printf: ([format, ...args]) => printf(text(format), args),
  join: ([list, separator]) => items(list).map(text).join(text(separator)),
  split: ([value, separator]) => text(value).split(text(separator)),
  lower: ([value]) => text(value).toLowerCase(),
  upper: ([value]) => text(value).toUpperCase(),
  title: ([value]) => text(value).replace(/\b[a-z]/g, (letter) => letter.toUpperCase()),
  len: ([value]) => size(value),
  truncate: ([value, length]) => text(value).slice(0, Number(length)),
  slice: ([value, from, to]) => cutOut(value, from, to),
  eq: ([value, ...others]) => others.some((other) => other === value),
  ne: ([a, b]) => a !== b,
  lt: ([a, b]) => Number(a) < Number(b),
  gt: ([a, b]) => Number(a) > Number(b),
  and: (args) => args.find((arg) => !truth(arg)) ?? args.at(-1),
  or: (args) => args.find((arg) => truth(arg)) ?? args.at(-1),
  not: ([value]) => !truth(value),
};

/** Whether a template may call it. */
export function isFunction(name: string): boolean {
  return Object.hasOwn(functions, name);
}

/** @throws E_TEMPLATE */
export function callFunction(name: string, args: readonly unknown[]): unknown {
  const call = functions[name];
  if (call === undefined) throw new UsageError(`Cannot format: no function ${name}`, templateHint);
  return call(args);
}

const templateHint = { code: "E_TEMPLATE", hint: `functions: ${Object.keys(functions).join(", ")}` };

function text(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function element(value: unknown, key: unknown): unknown {
  if (Array.isArray(value)) {
    const index = Number(key);
    if (Number.isInteger(index) && index >= 0 && index < value.length) return value[index];
    throw new UsageError(`Cannot format: index ${String(key)} of ${value.length} elements`, templateHint);
  }
  if (typeof value !== "object" || value === null) return undefined;
  return Object.getOwnPropertyDescriptor(value, String(key))?.value;
}

function size(value: unknown): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  return typeof value === "object" && value !== null ? Object.keys(value).length : 0;
}

function cutOut(value: unknown, from: unknown, to: unknown): unknown {
  const start = from === undefined ? 0 : Number(from);
  const end = to === undefined ? undefined : Number(to);
  return Array.isArray(value) ? value.slice(start, end) : text(value).slice(start, end);
}

/** Columns that no screen has. */
const maxWidth = 10_000;

function printf(format: string, args: readonly unknown[]): string {
  let next = 0;
  return format.replace(/%(-?[0-9]*)([sdvq%])/g, (_, width: string, verb: string) => {
    if (verb === "%") return "%";
    const value = args[next++];
    const shown = verb === "q" ? JSON.stringify(text(value)) : text(value);
    const columns = Math.min(maxWidth, Math.abs(Number(width)));
    return width.startsWith("-") ? shown.padEnd(columns) : shown.padStart(columns);
  });
}
