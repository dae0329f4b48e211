import { blockSize, padding } from "./header.ts";
import { invalid } from "./invalid.ts";
import { decimal, readCount } from "./number.ts";

/** Where a part of a sparse file's content goes. */
export interface SparsePiece {
  readonly offset: number;
  readonly size: number;
}

/** No file has more pieces than fit into so many bytes of archive. */
const maxMap = 8 << 20;

/** A map in a header of GNU's own format: of the entry itself, or of one of the blocks after it. */
export interface MapPlace {
  readonly start: number;
  readonly count: number;
  /** Of the byte that says that one more block follows. */
  readonly moreAt: number;
}
export const inHeader: MapPlace = { start: 386, count: 4, moreAt: 482 };
export const inExtension: MapPlace = { start: 0, count: 21, moreAt: 504 };

/** Adds the pieces of a block; true when the map goes on. @throws E_TAR_INVALID */
export function readGnuMap(block: Buffer, { start, count, moreAt }: MapPlace, into: SparsePiece[]): boolean {
  for (let at = 0; at < count; at++) {
    const offset = start + at * 24;
    if (block[offset] === 0) break;
    into.push({ offset: readCount(block, [offset, 12]), size: readCount(block, [offset + 12, 12]) });
  }
  if (into.length > maxMap / 24) throw invalid("a sparse map is too long");
  return block[moreAt] === 1;
}

/**
 * Checks a map against its file: pieces in order and inside of it, and as much content as they say. All but the last are
 * whole blocks: GNU tar would pad them, other programs not. @throws E_TAR_INVALID
 */
export function checkMap(map: readonly SparsePiece[], size: number, content: number): void {
  const last = map.findLastIndex((piece) => piece.size > 0);
  let [end, total] = [0, 0];
  for (const [at, piece] of map.entries()) {
    const aligned = at >= last || piece.size % blockSize === 0;
    if (piece.offset < end || piece.offset + piece.size > size || !aligned) throw invalid("a sparse map is damaged");
    end = piece.offset + piece.size;
    total += piece.size;
  }
  if (total !== content) throw invalid("a sparse map does not fit its content");
}

/** Reads the map at the start of a file of version 1: decimal lines, filled up to a block. */
export class SparseMapReader {
  readonly #numbers: number[] = [];
  #line = "";
  #read = 0;

  /** Takes what belongs to the map; how much that was. @throws E_TAR_INVALID */
  push(bytes: Buffer): number {
    let at = 0;
    while (at < bytes.length && !this.#complete()) {
      const byte = bytes[at++] ?? 0;
      if (byte !== 10) this.#line += String.fromCharCode(byte);
      else {
        this.#numbers.push(decimal(this.#line));
        this.#line = "";
      }
      if (this.#line.length > 19) throw invalid("a sparse map is damaged");
    }
    const skipped = this.#complete() ? Math.min(bytes.length - at, padding(this.#read + at)) : 0;
    this.#read += at + skipped;
    if (this.#read > maxMap) throw invalid("a sparse map is too long");
    return at + skipped;
  }

  /** Bytes that were the map's. */
  get length(): number {
    return this.#read;
  }

  /** The pieces; undefined until all of the map was read. */
  get map(): readonly SparsePiece[] | undefined {
    if (!this.#complete() || padding(this.#read) !== 0) return undefined;
    return Array.from({ length: this.#numbers[0] ?? 0 }, (_, one) => ({
      offset: this.#numbers[1 + 2 * one] ?? 0,
      size: this.#numbers[2 + 2 * one] ?? 0,
    }));
  }

  #complete(): boolean {
    return this.#numbers.length > 0 && this.#numbers.length >= 1 + 2 * (this.#numbers[0] ?? 0);
  }
}
