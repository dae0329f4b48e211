import { TsbuildError } from "../../../native/errors.ts";
import { decodePath } from "../../../native/pathname.ts";
import type { EntryStat } from "../change.ts";
import { blockSize, fields, headerChecksum, padding } from "./header.ts";

const maxPax = 8 << 20;
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
  readonly sparse?: readonly { readonly offset: number; readonly size: number }[];
}

/** Takes what a TarReader finds, in order. */
export interface TarHandler {
  entry(entry: TarEntry): void;
  /** Content of the last entry; the bytes are valid during the call only. */
  data(bytes: Uint8Array): void;
  /** The last entry is complete. */
  end(): void;
}

type PaxValues = Map<string, Buffer>;

/**
 * A push parser: ustar, v7, PAX, GNU long names, GNU and PAX sparse files, base 256 numbers; bytes come in chunks of
 * any size and nothing is kept but one header. @throws E_TAR_INVALID, E_TAR_TRUNCATED
 */
export class TarReader {
  readonly #handler: TarHandler;
  #pending: Buffer = Buffer.alloc(0);
  #content = 0;
  #padding = 0;
  #open = false;
  #ended = false;
  #zeroBlocks = 0;
  /** A header block whose body (PAX, long name) is being collected. */
  #meta: { readonly type: string; readonly size: number } | undefined;
  readonly #global: PaxValues = new Map();
  #local: PaxValues = new Map();
  #longName: Buffer | undefined;
  #longLink: Buffer | undefined;
  /** A PAX 1.0 sparse entry whose map comes at the start of its content. */
  #sparseMap: { readonly entry: TarEntry; readonly size: number } | undefined;
  #gnuSparse: { readonly header: Buffer; readonly map: { offset: number; size: number }[] } | undefined;

  constructor(handler: TarHandler) {
    this.#handler = handler;
  }

  /** Whether the end of the archive was seen: what follows is ignored. */
  get ended(): boolean {
    return this.#ended;
  }

  push(chunk: Uint8Array): void {
    let rest: Buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (this.#pending.length > 0) {
      rest = Buffer.concat([this.#pending, rest]);
      this.#pending = Buffer.alloc(0);
    }
    while (rest.length > 0 && !this.#ended) {
      const used = this.#step(rest);
      if (used === 0) {
        this.#pending = Buffer.from(rest);
        return;
      }
      rest = rest.subarray(used);
    }
  }

  /** The source has ended. @throws E_TAR_TRUNCATED inside an entry */
  finish(): void {
    const inside = this.#content > 0 || this.#meta !== undefined || this.#pending.length > 0;
    if (!this.#ended && (inside || this.#sparseMap !== undefined)) {
      throw new TsbuildError("Cannot read the archive: it ends inside an entry", { code: "E_TAR_TRUNCATED" });
    }
  }

  /** Handles what it can at the start of the bytes; 0 = more are needed. */
  #step(bytes: Buffer): number {
    if (this.#sparseMap !== undefined) return this.#readSparseMap(bytes);
    if (this.#content > 0) return this.#readContent(bytes);
    if (this.#padding > 0) {
      const used = Math.min(this.#padding, bytes.length);
      this.#padding -= used;
      return used;
    }
    if (this.#meta !== undefined) return this.#readMeta(bytes);
    if (bytes.length < blockSize) return 0;
    this.#readHeader(bytes.subarray(0, blockSize));
    return blockSize;
  }

  #readContent(bytes: Buffer): number {
    const used = Math.min(this.#content, bytes.length);
    this.#handler.data(bytes.subarray(0, used));
    this.#content -= used;
    if (this.#content === 0) this.#close();
    return used;
  }

  #close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#handler.end();
  }

  #readMeta(bytes: Buffer): number {
    const { type, size } = this.#meta ?? { type: "", size: 0 };
    if (bytes.length < size) return 0;
    const body = bytes.subarray(0, size);
    this.#meta = undefined;
    this.#padding = padding(size);
    if (type === "x") parsePax(body, this.#local);
    else if (type === "g") parsePax(body, this.#global);
    else if (type === "L") this.#longName = Buffer.from(cString(body));
    else if (type === "K") this.#longLink = Buffer.from(cString(body));
    // An empty body takes no bytes of its own, but the step was one.
    return size === 0 ? this.#step(bytes) : size;
  }

  #readHeader(block: Buffer): void {
    if (this.#gnuSparse !== undefined) return this.#readGnuSparse(block);
    if (block.every((byte) => byte === 0)) {
      this.#zeroBlocks++;
      if (this.#zeroBlocks === 2) this.#ended = true;
      return;
    }
    this.#zeroBlocks = 0;
    if (headerChecksum(block) !== readNumber(block, fields.checksum)) throw invalid("a header has a wrong checksum");
    const type = block.toString("latin1", fields.type[0], fields.type[0] + 1);
    const size = readNumber(block, fields.size);
    if (type === "x" || type === "g" || type === "L" || type === "K") {
      if (size > maxPax) throw invalid(`a header extension is ${size} bytes long`);
      this.#meta = { type, size };
      return;
    }
    if (type === "S") {
      this.#gnuSparse = { header: Buffer.from(block), map: [] };
      this.#collectGnuSparse(block, 386, 4, 482);
      return;
    }
    this.#startEntry(block, type, undefined);
  }

  #readGnuSparse(block: Buffer): void {
    this.#collectGnuSparse(block, 0, 21, 504);
  }

  #collectGnuSparse(block: Buffer, start: number, count: number, extendedAt: number): void {
    const sparse = this.#gnuSparse;
    if (sparse === undefined) return;
    for (let at = 0; at < count; at++) {
      const offset = start + at * 24;
      if (block[offset] === 0) break;
      sparse.map.push({ offset: readNumber(block, [offset, 12]), size: readNumber(block, [offset + 12, 12]) });
    }
    if (block[extendedAt] === 1) return;
    this.#gnuSparse = undefined;
    this.#startEntry(sparse.header, "S", sparse.map);
  }

  #startEntry(block: Buffer, flag: string, gnuMap: readonly { offset: number; size: number }[] | undefined): void {
    const pax: PaxValues = new Map([...this.#global, ...this.#local]);
    const raw = this.#rawNames(block, pax);
    this.#local = new Map();
    this.#longName = undefined;
    this.#longLink = undefined;
    const stored = paxNumber(pax, "size") ?? readNumber(block, fields.size);
    // v7 has no type for directories: a trailing slash says it.
    const type =
      flag === "S" ? "file" : (flag === "\0" || flag === "0") && raw.path.endsWith("/") ? "directory" : types[flag];
    const hasContent = type === undefined || type === "file";
    this.#content = hasContent ? stored : 0;
    this.#padding = hasContent ? padding(stored) : 0;
    // Types that nobody knows are skipped with their content.
    if (type === undefined) return this.#handlerSkip();
    const sparse = gnuMap ?? paxSparseMap(pax);
    const real = gnuMap === undefined ? sparseSize(pax) : readNumber(block, [483, 12]);
    const size = type === "file" ? (real ?? stored) : 0;
    const stat = this.#stat(block, pax, { type, size, linkname: raw.linkname });
    const entry: TarEntry = { path: raw.path, stat, ...(sparse === undefined ? {} : { sparse }) };
    if (pax.get("GNU.sparse.major")?.toString() === "1") {
      this.#sparseMap = { entry, size: stored };
      return;
    }
    this.#begin(entry);
  }

  #handlerSkip(): void {
    const skipped = this.#content;
    this.#content = 0;
    this.#padding += skipped;
  }

  #begin(entry: TarEntry): void {
    this.#open = true;
    this.#handler.entry(entry);
    if (this.#content === 0) this.#close();
  }

  #rawNames(block: Buffer, pax: PaxValues): { readonly path: string; readonly linkname: string } {
    const prefix =
      block.toString("latin1", 257, 262) === "ustar" ? fieldBytes(block, prefixField(block)) : Buffer.alloc(0);
    const short = fieldBytes(block, fields.name);
    const joined = prefix.length === 0 ? short : Buffer.concat([prefix, Buffer.from("/"), short]);
    const path = pax.get("GNU.sparse.name") ?? pax.get("path") ?? this.#longName ?? joined;
    const link = pax.get("linkpath") ?? this.#longLink ?? fieldBytes(block, fields.linkname);
    return { path: decodePath(path), linkname: decodePath(link) };
  }

  #stat(
    block: Buffer,
    pax: PaxValues,
    known: { readonly type: EntryStat["type"]; readonly size: number; readonly linkname: string },
  ): EntryStat {
    const { type, size, linkname } = known;
    const xattrs = paxXattrs(pax);
    const device = type === "char" || type === "block";
    return {
      type,
      mode: readNumber(block, fields.mode) & 0o7777,
      uid: paxNumber(pax, "uid") ?? readNumber(block, fields.uid),
      gid: paxNumber(pax, "gid") ?? readNumber(block, fields.gid),
      size,
      mtime: paxTime(pax) ?? BigInt(readNumber(block, fields.mtime)) * 1_000_000_000n,
      ...(type === "symlink" || type === "hardlink" ? { linkname } : {}),
      ...(device ? { devmajor: readNumber(block, fields.devmajor), devminor: readNumber(block, fields.devminor) } : {}),
      ...(xattrs.size === 0 ? {} : { xattrs }),
    };
  }

  /** PAX 1.0: decimal lines (count, then offset and size of each piece), filled up to a block. */
  #readSparseMap(bytes: Buffer): number {
    const { entry, size } = this.#sparseMap ?? { entry: undefined, size: 0 };
    if (entry === undefined) return 0;
    const lines: number[] = [];
    let at = 0;
    while (lines.length === 0 || lines.length < 1 + 2 * (lines[0] ?? 0)) {
      const end = bytes.indexOf(10, at);
      if (end < 0 || end - at > 20) {
        if (end >= 0 || bytes.length > maxPax) throw invalid("a sparse map is damaged");
        return 0;
      }
      lines.push(decimal(bytes.toString("latin1", at, end)));
      at = end + 1;
    }
    const used = at + padding(at);
    if (bytes.length < used) return 0;
    if (used > size) throw invalid("a sparse map is longer than its file");
    const map = Array.from({ length: lines[0] ?? 0 }, (_, one) => ({
      offset: lines[1 + 2 * one] ?? 0,
      size: lines[2 + 2 * one] ?? 0,
    }));
    this.#sparseMap = undefined;
    this.#content = size - used;
    this.#begin({ ...entry, sparse: map });
    return used;
  }
}

/** GNU keeps atime and ctime where POSIX has the end of the prefix. */
function prefixField(block: Buffer): readonly [number, number] {
  return block.toString("latin1", 257, 265) === "ustar  \0" ? [345, 0] : fields.prefix;
}

function fieldBytes(block: Buffer, [at, length]: readonly [number, number]): Buffer {
  return cString(block.subarray(at, at + length));
}

function cString(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

/** Octal text, or base 256 with the top bit set. */
function readNumber(block: Buffer, [at, length]: readonly [number, number]): number {
  const first = block[at] ?? 0;
  if ((first & 0x80) !== 0) {
    let value = BigInt(first & 0x7f);
    for (let one = at + 1; one < at + length; one++) value = (value << 8n) | BigInt(block[one] ?? 0);
    const bits = BigInt(length * 8 - 1);
    return safe(BigInt.asIntN(Number(bits), value));
  }
  const text = block
    .toString("latin1", at, at + length)
    .replace(/[\0 ]+$/, "")
    .trim();
  if (text === "") return 0;
  if (!/^[0-7]+$/.test(text)) throw invalid(`${JSON.stringify(text)} is not an octal number`);
  return Number.parseInt(text, 8);
}

function safe(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw invalid(`${value} is too large a number`);
  return number;
}

function decimal(text: string): number {
  if (!/^\d{1,19}$/.test(text)) throw invalid(`${JSON.stringify(text)} is not a number`);
  return safe(BigInt(text));
}

function parsePax(body: Buffer, into: PaxValues): void {
  let at = 0;
  while (at < body.length) {
    const space = body.indexOf(0x20, at);
    const length = space < 0 ? 0 : decimal(body.toString("latin1", at, space));
    const record = body.subarray(space + 1, at + length - 1);
    const equals = record.indexOf(0x3d);
    if (length <= 0 || at + length > body.length || body[at + length - 1] !== 10 || equals <= 0) {
      throw invalid("a PAX record is damaged");
    }
    const key = record.toString("utf8", 0, equals);
    const value = Buffer.from(record.subarray(equals + 1));
    if (key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes") appendSparse(into, value);
    else if (value.length === 0) into.delete(key);
    else into.set(key, value);
    at += length;
  }
}

/** PAX 0.0 repeats its keys: collected into the form of 0.1. */
function appendSparse(into: PaxValues, value: Buffer): void {
  const before = into.get("GNU.sparse.map");
  into.set("GNU.sparse.map", before === undefined ? value : Buffer.concat([before, Buffer.from(","), value]));
}

function paxSparseMap(pax: PaxValues): { offset: number; size: number }[] | undefined {
  const text = pax.get("GNU.sparse.map")?.toString("latin1");
  if (text === undefined) return undefined;
  const numbers = text.split(",").map(decimal);
  return Array.from({ length: numbers.length >> 1 }, (_, at) => ({
    offset: numbers[2 * at] ?? 0,
    size: numbers[2 * at + 1] ?? 0,
  }));
}

function sparseSize(pax: PaxValues): number | undefined {
  return paxNumber(pax, "GNU.sparse.realsize") ?? paxNumber(pax, "GNU.sparse.size");
}

function paxNumber(pax: PaxValues, key: string): number | undefined {
  const text = pax.get(key)?.toString("latin1");
  return text === undefined ? undefined : decimal(text);
}

function paxTime(pax: PaxValues): bigint | undefined {
  const text = pax.get("mtime")?.toString("latin1");
  if (text === undefined) return undefined;
  const match = /^(-?)(\d{1,15})(?:\.(\d*))?$/.exec(text);
  if (match === null) throw invalid(`${JSON.stringify(text)} is not a time`);
  const fraction = BigInt((match[3] ?? "").padEnd(9, "0").slice(0, 9));
  const total = BigInt(match[2] ?? "0") * 1_000_000_000n + fraction;
  return match[1] === "-" ? -total : total;
}

function paxXattrs(pax: PaxValues): Map<string, Uint8Array> {
  const prefix = "SCHILY.xattr.";
  const found = [...pax].filter(([key]) => key.startsWith(prefix));
  return new Map(found.map(([key, value]) => [key.slice(prefix.length), value]));
}

function invalid(what: string): TsbuildError {
  return new TsbuildError(`Cannot read the archive: ${what}`, { code: "E_TAR_INVALID" });
}
