import { TsbuildError } from "../../native/errors.ts";
import { duplicateKey } from "./strict-json.ts";

/** No manifest or config is larger; a larger one is an attack on memory. @see distribution-spec */
export const maxDocument: number = 4 << 20;

const hint = "try again, or take another tag or digest of the image";

/** An object of a document that others wrote. */
export type Json = Readonly<Record<string, unknown>>;

/** The object that a document is; none in it has a key twice. @throws E_MANIFEST_INVALID */
export function parseObject(bytes: Uint8Array, what: string): Json {
  if (bytes.byteLength > maxDocument) throw invalid(`a ${what} of ${bytes.byteLength} bytes is too large`);
  const text = Buffer.from(bytes).toString("utf8");
  const json = asObject(parseText(text, what));
  if (json === undefined) throw invalid(`the ${what} is no object`);
  const twice = duplicateKey(text);
  if (twice !== undefined) throw invalid(`the ${what} has the key ${JSON.stringify(twice.slice(0, 100))} twice`);
  return json;
}

function parseText(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new TsbuildError(`Cannot read the ${what}: it is not JSON`, {
      code: "E_MANIFEST_INVALID",
      cause: error,
      hint,
    });
  }
}

/** The value if it is an object; lists are none. */
export function asObject(value: unknown): Json | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}

export function isText(value: unknown): value is string {
  return typeof value === "string";
}

export function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}

/** A table of texts, where null stands for an empty one as in Go; undefined: it is none. */
export function textTable(value: unknown): Readonly<Record<string, string>> | undefined {
  const entries = Object.entries(asObject(value) ?? { none: false }).map(([key, one]) => [key, one ?? ""] as const);
  const texts = entries.filter((entry): entry is [string, string] => isText(entry[1]));
  return texts.length === entries.length ? Object.fromEntries(texts) : undefined;
}

/** Without what is null, which is how Go writes what is not there, and without the fields that are named. */
export function withoutNulls(json: Json, fields: readonly string[] = []): Json {
  return Object.fromEntries(Object.entries(json).filter(([key, value]) => value !== null && !fields.includes(key)));
}

export function invalid(why: string): TsbuildError {
  return new TsbuildError(`Cannot read the manifest: ${why}`, { code: "E_MANIFEST_INVALID", hint });
}
