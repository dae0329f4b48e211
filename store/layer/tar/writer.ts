import { encodePath } from "../../../native/pathname.ts";
import type { EntryStat } from "../change.ts";
import { blockSize, fields, headerChecksum, padding, typeFlags } from "./header.ts";

const billion = 1_000_000_000n;
const largestOctal = { id: 0o7777777, size: 0o77777777777, device: 0o7777777 } as const;

/** The end of an archive: two empty blocks. */
export const tarEnd: Uint8Array = Buffer.alloc(2 * blockSize);

/**
 * The header of an entry, with a PAX header before it where ustar cannot say it: long or non-ASCII names, big ids and
 * sizes, times before 1970, extended attributes (raw bytes as SCHILY.xattr). Whole seconds only: what a file system
 * adds in nanoseconds would make layers differ that are the same to every reader. The bytes depend on nothing else.
 */
export function tarHeader(path: string, stat: EntryStat): Uint8Array {
  const name = encodePath(stat.type === "directory" ? `${path}/` : path);
  const link = encodePath(stat.linkname ?? "");
  const split = splitName(name);
  const records = paxRecords(name, link, split === undefined, stat);
  const header = ustar(split ?? { name: ascii(name).subarray(0, 100), prefix: nothing }, link, stat);
  return records.length === 0 ? header : Buffer.concat([paxHeader(name, records), header]);
}

/** Zeros that fill the last block of a file's content. */
export function tarPadding(size: number): Uint8Array {
  return tarEnd.subarray(0, padding(size));
}

function paxRecords(name: Buffer, link: Buffer, long: boolean, stat: EntryStat): readonly Buffer[] {
  const seconds = floorSeconds(stat.mtime);
  const records: Buffer[] = [];
  const add = (key: string, value: Uint8Array | string): void => {
    records.push(paxRecord(key, typeof value === "string" ? Buffer.from(value) : value));
  };
  // In the order of their keys, as Go's archive/tar writes them.
  for (const [key, value] of [...(stat.xattrs ?? [])].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    add(`SCHILY.xattr.${key}`, value);
  }
  if (stat.gid > largestOctal.id) add("gid", String(stat.gid));
  if (needsPax(link)) add("linkpath", link);
  if (seconds < 0 || seconds > largestOctal.size) add("mtime", String(seconds));
  if (long) add("path", name);
  if (stat.size > largestOctal.size) add("size", String(stat.size));
  if (stat.uid > largestOctal.id) add("uid", String(stat.uid));
  return records;
}

/** `LENGTH KEY=VALUE\n`, where LENGTH counts itself. */
function paxRecord(key: string, value: Uint8Array): Buffer {
  const rest = 1 + Buffer.byteLength(key) + 1 + value.byteLength + 1;
  let length = rest + String(rest).length;
  if (String(length).length !== String(rest).length) length = rest + String(length).length;
  return Buffer.concat([Buffer.from(`${length} ${key}=`), value, Buffer.from("\n")]);
}

function paxHeader(name: Buffer, records: readonly Buffer[]): Buffer {
  const body = Buffer.concat(records);
  const base = ascii(lastPart(name)).subarray(0, 80);
  const header = Buffer.alloc(blockSize);
  Buffer.concat([Buffer.from("PaxHeaders.0/"), base]).copy(header, 0);
  writeOctal(header, fields.mode, 0);
  writeOctal(header, fields.uid, 0);
  writeOctal(header, fields.gid, 0);
  writeOctal(header, fields.size, body.length);
  writeOctal(header, fields.mtime, 0);
  finish(header, "x");
  return Buffer.concat([header, body, tarPadding(body.length)]);
}

function ustar(split: SplitName, link: Buffer, stat: EntryStat): Buffer {
  const header = Buffer.allocUnsafe(blockSize).fill(0);
  split.name.copy(header, fields.name[0]);
  split.prefix.copy(header, fields.prefix[0]);
  (needsPax(link) ? ascii(link) : link).copy(header, fields.linkname[0], 0, 100);
  writeOctal(header, fields.mode, stat.mode);
  writeOctal(header, fields.uid, stat.uid > largestOctal.id ? 0 : stat.uid);
  writeOctal(header, fields.gid, stat.gid > largestOctal.id ? 0 : stat.gid);
  writeOctal(header, fields.size, stat.size > largestOctal.size ? 0 : stat.size);
  const seconds = floorSeconds(stat.mtime);
  writeOctal(header, fields.mtime, seconds < 0 || seconds > largestOctal.size ? 0 : seconds);
  writeDevice(header, fields.devmajor, stat.devmajor ?? 0);
  writeDevice(header, fields.devminor, stat.devminor ?? 0);
  finish(header, typeFlags[stat.type]);
  return header;
}

function finish(header: Buffer, type: string): void {
  header.write(type, fields.type[0], "latin1");
  header.write("ustar\x0000", fields.magic[0], "latin1");
  header.write(`${headerChecksum(header).toString(8).padStart(6, "0")}\0 `, fields.checksum[0], "latin1");
}

interface SplitName {
  readonly name: Buffer;
  readonly prefix: Buffer;
}

const nothing = Buffer.alloc(0);

/** Fits name and prefix, cut at a slash; undefined when a PAX record is needed. */
function splitName(name: Buffer): SplitName | undefined {
  if (!isAscii(name)) return undefined;
  if (name.length <= 100) return { name, prefix: nothing };
  // A directory's own last slash is no place to cut.
  const at = name.lastIndexOf("/", Math.min(155, name.length - 2));
  if (at <= 0 || name.length - at - 1 > 100) return undefined;
  return { name: name.subarray(at + 1), prefix: name.subarray(0, at) };
}

function needsPax(text: Buffer): boolean {
  return text.length > 100 || !isAscii(text);
}

function isAscii(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte >= 0x80 || byte === 0) return false;
  }
  return true;
}

function ascii(bytes: Buffer): Buffer {
  return Buffer.from(bytes.filter((byte) => byte < 0x80));
}

function lastPart(name: Buffer): Buffer {
  return name.subarray(name.lastIndexOf("/", name.length - 2) + 1);
}

/** Octal digits and a NUL. */
function writeOctal(header: Buffer, [at, length]: readonly [number, number], value: number): void {
  // In halves of 30 bits: whole numbers that need no more are quick.
  let rest = value % 2 ** 30;
  for (let left = length - 1; left > 0; left--) {
    header[at + left - 1] = 0x30 | (rest & 7);
    rest = left === length - 10 ? Math.floor(value / 2 ** 30) : rest >> 3;
  }
}

/** Octal where it fits, else base 256. */
function writeDevice(header: Buffer, field: readonly [number, number], value: number): void {
  if (value <= largestOctal.device) return writeOctal(header, field, value);
  header.writeUInt32BE(value, field[0] + 4);
  header[field[0]] = 0x80;
}

function floorSeconds(nanoseconds: bigint): number {
  const seconds = nanoseconds / billion;
  return Number(nanoseconds < 0n && seconds * billion !== nanoseconds ? seconds - 1n : seconds);
}
