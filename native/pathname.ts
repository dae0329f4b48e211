import { TsbuildError } from "./errors.ts";

/**
 * File names are bytes, JavaScript strings are UTF-16. Bytes that are not UTF-8 become lone surrogates
 * U+DC80..U+DCFF (0xDC00 + byte), as Python's surrogateescape does, so that every name survives a round trip.
 */

/** Bytes of a path that system calls take: a longer one could not be opened by any program. @see path_resolution(7) */
export const maxPath = 4095;
/** Bytes of a name in it. */
export const maxName = 255;
/** What helps with ENAMETOOLONG. */
export const longPathHint: string = `a path has at most ${maxPath} bytes, and each name in it ${maxName}`;
const escapeBase = 0xdc00;
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The bytes of a name, without a terminator. */
export function encodePath(path: string): Buffer {
  return path.isWellFormed() ? Buffer.from(path, "utf8") : encodeEscaped(path);
}

/** The bytes of a name with the NUL that system calls want. A NUL inside would cut the name: the caller's error. */
export function encodeCString(path: string): Buffer {
  if (path.includes("\0")) throw new RangeError("a path cannot hold a NUL character");
  return path.isWellFormed() ? Buffer.from(`${path}\0`, "utf8") : Buffer.concat([encodeEscaped(path), Buffer.of(0)]);
}

/** The name of these bytes. */
export function decodePath(bytes: Uint8Array): string {
  if (bytes.length === 0) return "";
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString("utf8");
  // Only a replacement character tells that something may not have been UTF-8.
  return text.includes("\ufffd") ? decodeEscaped(bytes) : text;
}

/** Whether a path has more bytes than system calls take. */
export function isTooLong(path: string): boolean {
  return path.length > maxPath / 3 && encodePath(path).length > maxPath;
}

/** @throws E_PATH_TOO_LONG for a path in a tree, without leading slash, that no program could open */
export function checkPathLength(path: string): void {
  if (!isTooLong(path)) return;
  throw new TsbuildError(`Cannot use /${path.slice(0, 60)}...: its path has more than ${maxPath} bytes`, {
    code: "E_PATH_TOO_LONG",
    hint: "remove the directories that are nested so deep, or name their first one in the ignore file",
  });
}

/** Order of the names' bytes: the order of entries in every layer. */
export function comparePaths(a: string, b: string): number {
  if (a === b) return 0;
  // UTF-16 order differs from byte order only from U+D800 on.
  if (!/[\ud800-\uffff]/.test(a + b)) return a < b ? -1 : 1;
  return Buffer.compare(encodePath(a), encodePath(b));
}

function encodeEscaped(path: string): Buffer {
  const parts: Buffer[] = [];
  for (const point of path) {
    const code = point.codePointAt(0) ?? 0;
    const escaped = code >= escapeBase + 0x80 && code <= escapeBase + 0xff;
    if (!escaped && code >= 0xd800 && code <= 0xdfff) throw new RangeError("a surrogate that stands for no byte");
    parts.push(escaped ? Buffer.of(code - escapeBase) : Buffer.from(point, "utf8"));
  }
  return Buffer.concat(parts);
}

function decodeEscaped(bytes: Uint8Array): string {
  let text = "";
  let at = 0;
  while (at < bytes.length) {
    const length = sequenceLength(bytes, at);
    if (length === 0) text += String.fromCharCode(escapeBase + (bytes[at] ?? 0));
    else text += strict.decode(bytes.subarray(at, at + length));
    at += Math.max(1, length);
  }
  return text;
}

/** Length of the valid UTF-8 sequence at this place; 0 when there is none. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
    try {
      strict.decode(bytes.subarray(at, at + length));
      return length;
    } catch {
      continue;
    }
  }
  return 0;
}
