import { decodePath } from "../../../native/pathname.ts";
import { TsbuildError } from "../../../native/errors.ts";
import type { EntryStat } from "../change.ts";
import { blockSize, fields, padding, validChecksum } from "./header.ts";
import { invalid } from "./invalid.ts";
import { readCount, readNumber } from "./number.ts";
import { PaxRecords } from "./pax.ts";
import { checkMap, inExtension, inHeader, readGnuMap, SparseMapReader, type SparsePiece } from "./sparse.ts";

/** Go's archive/tar, which every other reader of layers is built on, takes no longer header either. */
const maxMeta = 1 << 20;
const types: Readonly<Record<string, EntryStat["type"]>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "char",
  "4": "block",
  "5": "directory",
  "6": "fifo",
};

/** An entry as the archive names it: `path` is untrusted. */
export interface TarEntry {
  readonly path: string;
  readonly stat: EntryStat;
  /** Of a sparse file: where its data goes; the content is these pieces one after the other. */
  readonly sparse?: readonly SparsePiece[];
}

/** Takes what a TarReader finds, in order. */
export interface TarHandler {
  entry(entry: TarEntry): void;
  /** Content of the last entry; the bytes are valid during the call only. */
  data(bytes: Uint8Array): void;
  /** The last entry is complete. */
  end(): void;
}

/** A header whose body (PAX, long name) is being collected. */
interface Meta {
  readonly type: string;
  readonly chunks: Buffer[];
  missing: number;
}

/** What the headers before an entry's own one say of it. */
interface Before {
  readonly pax: PaxRecords;
  longName?: Buffer;
  longLink?: Buffer;
}

const empty = Buffer.alloc(0);
const nothing: Before = { pax: new PaxRecords() };

/**
 * A push parser: ustar, v7, star, PAX, GNU long names, GNU and PAX sparse files, base 256 numbers; bytes come in chunks
 * of any size and nothing is kept but one header. Global PAX headers are passed over, as in Go's archive/tar. What other
 * programs would read differently is refused. @throws E_TAR_INVALID, E_TAR_TRUNCATED
 */
export class TarReader {
  readonly #handler: TarHandler;
  /** The start of a header block. */
  #pending: Buffer = empty;
  #content = 0;
  #padding = 0;
  #open = false;
  #ended = false;
  #zeroBlock = false;
  #meta: Meta | undefined;
  #before: Before = nothing;
  /** A PAX 1.0 sparse entry whose map comes at the start of its content. */
  #sparse: { readonly entry: TarEntry; readonly reader: SparseMapReader } | undefined;
  /** A GNU sparse entry whose map goes on in the next blocks. */
  #gnuSparse: { readonly header: Buffer; readonly map: SparsePiece[] } | undefined;

  constructor(handler: TarHandler) {
    this.#handler = handler;
  }

  /** Whether the end of the archive was seen: what follows is ignored. */
  get ended(): boolean {
    return this.#ended;
  }

  push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let at = 0; at < bytes.length && !this.#ended;) at += this.#step(bytes, at);
  }

  /** The source has ended. @throws E_TAR_TRUNCATED inside an entry */
  finish(): void {
    const inside = this.#content > 0 || this.#meta !== undefined || this.#pending.length > 0;
    if (!this.#ended && (inside || this.#sparse !== undefined || this.#gnuSparse !== undefined)) {
      throw new TsbuildError("Cannot read the archive: it ends inside an entry", { code: "E_TAR_TRUNCATED" });
    }
  }

  /** Handles what it can from there on; how much that was. */
  #step(bytes: Buffer, at: number): number {
    if (this.#sparse !== undefined) return this.#readSparseMap(bytes.subarray(at));
    if (this.#content > 0) return this.#readContent(bytes, at);
    if (this.#padding > 0) return this.#skipPadding(bytes.length - at);
    return this.#meta === undefined ? this.#readBlock(bytes, at) : this.#readMeta(this.#meta, bytes.subarray(at));
  }

  #readContent(bytes: Buffer, at: number): number {
    const used = Math.min(this.#content, bytes.length - at);
    this.#handler.data(bytes.subarray(at, at + used));
    this.#content -= used;
    if (this.#content > 0) return used;
    this.#close();
    return used + this.#skipPadding(bytes.length - at - used);
  }

  #skipPadding(available: number): number {
    const used = Math.min(this.#padding, available);
    this.#padding -= used;
    return used;
  }

  #close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#handler.end();
  }

  #readMeta(meta: Meta, bytes: Buffer): number {
    const part = bytes.subarray(0, meta.missing);
    meta.chunks.push(Buffer.from(part));
    meta.missing -= part.length;
    if (meta.missing === 0) this.#endMeta(meta);
    return part.length;
  }

  #endMeta({ type, chunks }: Meta): void {
    this.#meta = undefined;
    const body = Buffer.concat(chunks);
    this.#padding = padding(body.length);
    if (type === "g") return;
    if (this.#before === nothing) this.#before = { pax: new PaxRecords() };
    if (type === "x") this.#before.pax.read(body);
    else if (type === "L") this.#before.longName = Buffer.from(cString(body));
    else this.#before.longLink = Buffer.from(cString(body));
  }

  #readBlock(bytes: Buffer, at: number): number {
    const used = Math.min(blockSize - this.#pending.length, bytes.length - at);
    const part = bytes.subarray(at, at + used);
    const block = this.#pending.length === 0 ? part : Buffer.concat([this.#pending, part]);
    if (block.length < blockSize) {
      this.#pending = Buffer.from(block);
      return used;
    }
    this.#pending = empty;
    this.#readHeader(block);
    return used;
  }

  #readHeader(block: Buffer): void {
    if (this.#gnuSparse !== undefined) return this.#readGnuSparse(this.#gnuSparse, block);
    if (block[0] === 0 && block.every((byte) => byte === 0)) {
      this.#ended = this.#zeroBlock;
      this.#zeroBlock = true;
      return;
    }
    if (this.#zeroBlock) throw invalid("an empty block is among its entries");
    if (!validChecksum(block, readNumber(block, fields.checksum))) throw invalid("a header has a wrong checksum");
    const type = String.fromCharCode(block[fields.type[0]] ?? 0);
    if (type === "x" || type === "g" || type === "L" || type === "K") return this.#startMeta(type, block);
    if (type !== "S") return this.#startEntry(block, type, undefined);
    const sparse = { header: Buffer.from(block), map: [] };
    if (readGnuMap(block, inHeader, sparse.map)) this.#gnuSparse = sparse;
    else this.#startEntry(block, type, sparse.map);
  }

  #startMeta(type: string, block: Buffer): void {
    const size = readCount(block, fields.size);
    if (size > maxMeta) throw invalid(`a header extension is ${size} bytes long`);
    const meta = { type, chunks: [], missing: size };
    if (size === 0) this.#endMeta(meta);
    else this.#meta = meta;
  }

  #readGnuSparse(sparse: { readonly header: Buffer; readonly map: SparsePiece[] }, block: Buffer): void {
    if (readGnuMap(block, inExtension, sparse.map)) return;
    this.#gnuSparse = undefined;
    this.#startEntry(sparse.header, "S", sparse.map);
  }

  #startEntry(block: Buffer, flag: string, gnuMap: readonly SparsePiece[] | undefined): void {
    const before = this.#before;
    const { pax } = before;
    this.#before = nothing;
    const { path, linkname } = rawNames(block, before);
    const stored = pax.number("size") ?? readCount(block, fields.size);
    const type = entryType(flag, path, stored);
    const hasContent = type === undefined || type === "file";
    this.#padding = hasContent ? padding(stored) : 0;
    // Types that nobody knows are skipped with their content.
    if (type === undefined) return void (this.#padding += stored);
    this.#content = hasContent ? stored : 0;
    const sparse = type === "file" ? (gnuMap ?? pax.sparseMap()) : undefined;
    const real = gnuMap === undefined ? pax.sparseSize() : readCount(block, [483, 12]);
    const size = type === "file" ? (real ?? stored) : 0;
    const entry: TarEntry = { path, stat: readStat(block, pax, { type, size, linkname }) };
    if (type === "file" && pax.bytes("GNU.sparse.major")?.toString() === "1") {
      this.#sparse = { entry, reader: new SparseMapReader() };
    } else if (sparse !== undefined) this.#begin({ ...entry, sparse });
    else if (size !== this.#content) throw invalid("a sparse file has no map");
    else this.#begin(entry);
  }

  #begin(entry: TarEntry): void {
    if (entry.sparse !== undefined) checkMap(entry.sparse, entry.stat.size, this.#content);
    this.#open = true;
    this.#handler.entry(entry);
    if (this.#content === 0) this.#close();
  }

  #readSparseMap(bytes: Buffer): number {
    if (this.#sparse === undefined) return 0;
    const { entry, reader } = this.#sparse;
    const used = reader.push(bytes.subarray(0, this.#content - reader.length));
    const { map } = reader;
    if (map !== undefined) {
      this.#sparse = undefined;
      this.#content -= reader.length;
      this.#begin({ ...entry, sparse: map });
    } else if (reader.length >= this.#content) throw invalid("a sparse map is longer than its file");
    return used;
  }
}

/** undefined: none that is known. */
function entryType(flag: string, path: string, size: number): EntryStat["type"] | undefined {
  if (flag === "S") return "file";
  const type = types[flag];
  if (type !== "file" || flag === "7" || !path.endsWith("/")) return type;
  // v7 has no type for directories: a trailing slash says it. Of their content programs think differently.
  if (size > 0) throw invalid("a directory has content");
  return "directory";
}

function rawNames(block: Buffer, before: Before): { readonly path: string; readonly linkname: string } {
  const { pax, longName, longLink } = before;
  const name = pax.bytes("GNU.sparse.name") ?? pax.bytes("path");
  const link = pax.bytes("linkpath");
  if ((longName !== undefined && name !== undefined) || (longLink !== undefined && link !== undefined))
    throw invalid("an entry has two long names");
  return {
    path: decodePath(name ?? longName ?? shortName(block)),
    linkname: decodePath(link ?? longLink ?? fieldBytes(block, fields.linkname)),
  };
}

function shortName(block: Buffer): Buffer {
  const name = fieldBytes(block, fields.name);
  // A first byte that is 0 is no prefix in any format.
  if (block[fields.prefix[0]] === 0) return name;
  const prefix = fieldBytes(block, prefixField(block));
  return prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from("/"), name]);
}

function readStat(
  block: Buffer,
  pax: PaxRecords,
  known: { readonly type: EntryStat["type"]; readonly size: number; readonly linkname: string },
): EntryStat {
  const { type, size, linkname } = known;
  const stat: EntryStat = {
    type,
    mode: readNumber(block, fields.mode) & 0o7777,
    uid: pax.number("uid") ?? readCount(block, fields.uid),
    gid: pax.number("gid") ?? readCount(block, fields.gid),
    size,
    mtime: pax.mtime() ?? BigInt(readNumber(block, fields.mtime)) * 1_000_000_000n,
  };
  const xattrs = pax.xattrs();
  // Nearly every entry is a file with nothing more.
  if (type === "file" && xattrs.size === 0) return stat;
  const device = type === "char" || type === "block";
  return {
    ...stat,
    ...(type === "symlink" || type === "hardlink" ? { linkname } : {}),
    ...(device ? { devmajor: readCount(block, fields.devmajor), devminor: readCount(block, fields.devminor) } : {}),
    ...(xattrs.size === 0 ? {} : { xattrs }),
  };
}

/** GNU keeps atime and ctime where POSIX has the end of the prefix, star at the end of it; v7 has none. */
function prefixField(block: Buffer): readonly [number, number] {
  const magic = block.toString("latin1", 257, 265);
  if (!magic.startsWith("ustar") || magic === "ustar  \0") return [345, 0];
  return block.toString("latin1", 508, 512) === "tar\0" ? [345, 131] : fields.prefix;
}

function fieldBytes(block: Buffer, [at, length]: readonly [number, number]): Buffer {
  if (block[at] === 0) return empty;
  const end = block.indexOf(0, at);
  return block.subarray(at, end < 0 ? at + length : Math.min(end, at + length));
}

function cString(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}
