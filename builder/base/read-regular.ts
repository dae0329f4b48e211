import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";

/**
 * The bytes of a file that a stranger may have made: a pipe, which nothing could stop reading, and what is too large are
 * errors that say so.
 */
export function readRegular(path: string, most: number): Buffer {
  // Opening a pipe does not wait then.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new Error(`${path} is no file`);
    if (stat.size > most) throw new Error(`${path} is larger than ${most >> 20} MiB`);
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}
