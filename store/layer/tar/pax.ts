import { invalid } from "./invalid.ts";
import { decimal } from "./number.ts";
import type { SparsePiece } from "./sparse.ts";

const xattrPrefix = "SCHILY.xattr.";

/** Records whose value ends at a NUL for some programs. */
const none: ReadonlyMap<string, Uint8Array> = new Map();
const names = new Set(["path", "linkpath", "GNU.sparse.name"]);

/** What the PAX headers before an entry say of it. */
export class PaxRecords {
  readonly #values = new Map<string, Buffer>();
  /** Version 0.0 of sparse files repeats its keys: offset, size, offset ... */
  readonly #sparse: string[] = [];

  /** Adds the records of a header; an empty value takes an earlier one back. @throws E_TAR_INVALID */
  read(body: Buffer): void {
    for (let at = 0; at < body.length;) {
      const space = body.indexOf(0x20, at);
      const length = space < 0 || space - at > 19 ? 0 : decimal(body.toString("latin1", at, space));
      const record = body.subarray(space + 1, at + length - 1);
      const equals = record.indexOf(0x3d);
      if (length <= 0 || at + length > body.length || body[at + length - 1] !== 10 || equals <= 0) {
        throw invalid("a PAX record is damaged");
      }
      this.#set(record.toString("utf8", 0, equals), record.subarray(equals + 1));
      at += length;
    }
  }

  bytes(key: string): Buffer | undefined {
    return this.#values.get(key);
  }

  number(key: string): number | undefined {
    const text = this.#values.get(key)?.toString("latin1");
    return text === undefined ? undefined : decimal(text);
  }

  /** Nanoseconds. */
  mtime(): bigint | undefined {
    const text = this.#values.get("mtime")?.toString("latin1");
    if (text === undefined) return undefined;
    const match = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(text);
    if (match === null) throw invalid(`${JSON.stringify(text.slice(0, 40))} is not a time`);
    const fraction = BigInt((match[3] ?? "").padEnd(9, "0").slice(0, 9));
    const total = BigInt(match[2] ?? "0") * 1_000_000_000n + fraction;
    return match[1] === "-" ? -total : total;
  }

  xattrs(): ReadonlyMap<string, Uint8Array> {
    if (this.#values.size === 0) return none;
    const found = [...this.#values].filter(([key]) => key.startsWith(xattrPrefix));
    return new Map(found.map(([key, value]) => [key.slice(xattrPrefix.length), value]));
  }

  /** The size of a sparse file with its holes. */
  sparseSize(): number | undefined {
    return this.number("GNU.sparse.realsize") ?? this.number("GNU.sparse.size");
  }

  /** The map of a sparse file of version 0; that of version 1 is in the content. */
  sparseMap(): readonly SparsePiece[] | undefined {
    const listed = this.#values.get("GNU.sparse.map")?.toString("latin1");
    if (listed === undefined && this.#sparse.length === 0) return undefined;
    const numbers = (listed?.split(",") ?? this.#sparse).map(decimal);
    if (numbers.length % 2 !== 0) throw invalid("a sparse map is damaged");
    return Array.from({ length: numbers.length / 2 }, (_, at) => ({
      offset: numbers[2 * at] ?? 0,
      size: numbers[2 * at + 1] ?? 0,
    }));
  }

  #set(key: string, bytes: Buffer): void {
    const value = Buffer.from(bytes);
    if (key.includes("\0") || (names.has(key) && value.includes(0))) throw invalid("a PAX record has a NUL");
    if (key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes") this.#sparse.push(value.toString("latin1"));
    // Of an attribute nothing is a value.
    else if (value.length === 0 && !key.startsWith(xattrPrefix)) this.#values.delete(key);
    else this.#values.set(key, value);
  }
}
