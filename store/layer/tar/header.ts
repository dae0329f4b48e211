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

/** Sum of a header's bytes with the checksum field as spaces. */
export function headerChecksum(block: Uint8Array): number {
  let sum = 8 * 0x20;
  for (let at = 0; at < 148; at++) sum += block[at] ?? 0;
  for (let at = 156; at < blockSize; at++) sum += block[at] ?? 0;
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
