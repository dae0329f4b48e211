import { UsageError } from "../base/usage-error.ts";
import { cannot, elementOf, GoNil, shown, sizeOf, truth } from "./go-value.ts";
import { jsonText } from "./json.ts";
import { printf } from "./printf.ts";

type TemplateFunction = (args: readonly unknown[]) => unknown;

/** Go's own functions and docker's. `and` and `or` are the template's, which stops at the first that decides. */
const functions: Readonly<Record<string, TemplateFunction>> = {
  json: ([value]) => jsonText(value ?? null),
  index: ([value, ...keys]) => keys.reduce(elementOf, value),
  slice: ([value, from, to]) => cutOut(value, from, to),
  println: (args) => `${args.map((one) => shown(one)).join(" ")}\n`,
  print: (args) => printed(args),
  printf: ([format, ...args]) => printf(text(format), args),
  join: ([list, separator]) => items(list).map(text).join(text(separator)),
  split: ([value, separator]) => text(value).split(text(separator)),
  lower: ([value]) => text(value).toLowerCase(),
  upper: ([value]) => text(value).toUpperCase(),
  title: ([value]) => text(value).replace(/(?<![\p{L}\p{N}_])\p{L}/gu, (letter) => letter.toUpperCase()),
  pad: ([value, before, after]) => padText(text(value), count(before), count(after)),
  truncate: ([value, length]) => [...text(value)].slice(0, count(length)).join(""),
  len: ([value]) => sizeOf(value),
  eq: ([value, ...others]) => others.some((other) => other === value),
  ne: ([a, b]) => a !== b,
  lt: ([a, b]) => order(a, b) < 0,
  le: ([a, b]) => order(a, b) <= 0,
  gt: ([a, b]) => order(a, b) > 0,
  ge: ([a, b]) => order(a, b) >= 0,
  and: (args) => args.find((arg) => !truth(arg)) ?? args.at(-1),
  or: (args) => args.find((arg) => truth(arg)) ?? args.at(-1),
  not: ([value]) => !truth(value),
  html: (args) => printed(args).replace(/[&<>"'\0]/g, (char) => htmlNames[char] ?? char),
  js: (args) => printed(args).replace(/[\\'"<>&=\n\r\t\0]/g, (char) => jsNames[char] ?? char),
  urlquery: (args) => encodeURIComponent(printed(args)).replace(/%20|[!'()*]/g, queryEscape),
};

const htmlNames: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&#34;",
  "'": "&#39;",
  "\0": "\ufffd",
};

const jsNames: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "'": "\\'",
  '"': '\\"',
  "<": "\\u003C",
  ">": "\\u003E",
  "&": "\\u0026",
  "=": "\\u003D",
  "\n": "\\u000A",
  "\r": "\\u000D",
  "\t": "\\u0009",
  "\0": "\\u0000",
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
  return value === undefined || value === null ? "" : shown(value);
}

/** fmt.Sprint: a space between two operands when neither is a text. */
function printed(args: readonly unknown[]): string {
  return args
    .map((one, i) => {
      const gap = i > 0 && typeof one !== "string" && typeof args[i - 1] !== "string";
      return `${gap ? " " : ""}${shown(one)}`;
    })
    .join("");
}

function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function count(value: unknown): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 0) return value;
  throw cannot(`count ${shown(value)}`);
}

function padText(value: string, before: number, after: number): string {
  return value === "" ? "" : " ".repeat(before) + value + " ".repeat(after);
}

function queryEscape(part: string): string {
  return part === "%20" ? "+" : `%${part.charCodeAt(0).toString(16).toUpperCase()}`;
}

/** Texts are ordered by their characters, numbers by their size. */
function order(a: unknown, b: unknown): number {
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a === "number" && typeof b === "number") return a - b;
  throw cannot(`compare ${shown(a)} with ${shown(b)}`);
}

function cutOut(value: unknown, from: unknown, to: unknown): unknown {
  const whole = typeof value === "string" ? Buffer.from(value) : value instanceof GoNil ? [] : value;
  if (!Array.isArray(whole) && !Buffer.isBuffer(whole)) throw cannot(`slice ${shown(value)}`);
  const start = from === undefined ? 0 : Number(from);
  const end = to === undefined ? whole.length : Number(to);
  if (!(start >= 0 && start <= end && end <= whole.length)) throw cannot(`slice ${start}:${end} of ${whole.length}`);
  const part = whole.slice(start, end);
  return Buffer.isBuffer(part) ? part.toString() : part;
}
