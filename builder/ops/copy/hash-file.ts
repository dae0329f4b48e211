import { createHash } from "node:crypto";
import { openFlags, type Dir } from "../../../native/path.ts";
import { closeFd, readFd } from "../../../native/syscall.ts";

const buffer = Buffer.allocUnsafe(1 << 20);

/** Hex sha256 of a regular file's bytes, in one pass. */
export function hashFile(dir: Dir, name: string): string {
  const fd = dir.openFile(name, openFlags.read);
  try {
    const hash = createHash("sha256");
    for (let got = readFd(fd, buffer); got > 0; got = readFd(fd, buffer)) hash.update(buffer.subarray(0, got));
    return hash.digest("hex");
  } finally {
    closeFd(fd);
  }
}
