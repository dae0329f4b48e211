import { closeSync, openSync, readSync } from "node:fs";

/** The bytes of a file or a pipe, at most one more than `most`: then it is too large. */
export function readUpTo(path: string, most: number): Buffer {
  const bytes = Buffer.alloc(most + 1);
  const fd = openSync(path, "r");
  try {
    let size = 0;
    for (let more = 1; more > 0 && size < bytes.length; size += more) more = readSync(fd, bytes, { offset: size });
    return bytes.subarray(0, size);
  } finally {
    closeSync(fd);
  }
}
