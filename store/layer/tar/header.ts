import type { EntryStat } from "../change.ts";

/** Bytes of a tar block: headers and padding come in these. @see POSIX pax */
export const blockSize = 512;

type Field =
  | "name"
  | "mode"
  | "uid"
  | "gid"
  | "size"
  | "mtime"
  | "checksum"
  | "type"
  | "linkname"
  | "magic"
  | "devmajor"
  | "devminor"
  | "prefix";

/** Field places of a ustar header: offset and length. */
export const fields: Readonly<Record<Field, readonly [number, number]>> = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  linkname: [157, 100],
  magic: [257, 8],
  devmajor: [329, 8],
  devminor: [337, 8],
  prefix: [345, 155],
};

/** Type flags. */
export const typeFlags: Readonly<Record<EntryStat["type"], string>> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  char: "3",
  block: "4",
  directory: "5",
  fifo: "6",
};

/** Sum of a header's bytes with the checksum field as spaces. Four bytes at a time: a third of the time. */
export function headerChecksum(block: Uint8Array): number {
  const { buffer, byteOffset } = block.byteOffset % 4 === 0 ? block : Buffer.from(block);
  const words = new Uint32Array(buffer, byteOffset, blockSize / 4);
  // Two sums of 16 bits, which 256 bytes each cannot overflow.
  let pairs = 0;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? 0;
    pairs = (pairs + (word & 0xff00ff) + ((word >>> 8) & 0xff00ff)) | 0;
  }
  let sum = (pairs & 0xffff) + (pairs >>> 16);
  for (let at = 148; at < 156; at++) sum += 0x20 - (block[at] ?? 0);
  return sum;
}

/** Whether a header has this checksum; old programs summed signed bytes. */
export function validChecksum(block: Uint8Array, checksum: number): boolean {
  const sum = headerChecksum(block);
  if (sum === checksum) return true;
  const high = block.reduce((count, byte, at) => count + Number(byte >= 0x80 && (at < 148 || at >= 156)), 0);
  return sum - 256 * high === checksum;
}

/** Bytes from `size` up to the next block. */
export function padding(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}
