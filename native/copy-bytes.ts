import { call, readFd, tryCall, writeFd } from "./syscall.ts";

const buffer = Buffer.allocUnsafe(1 << 20);
const fallback = ["EXDEV", "EINVAL", "ENOSYS", "EOPNOTSUPP", "ENOTSUP", "EIO", "EPERM", "EBADF"];

/** Copies a file's bytes from one descriptor's position to another's: in the kernel where it can. */
export function copyBytes(from: number, to: number, size: number): void {
  // A call that works page by page costs more than two plain ones while everything fits one buffer.
  let left = size > buffer.length ? size : 0;
  while (left > 0) {
    const copied = tryCall(fallback, "copy_file_range", undefined, from, null, to, null, Math.min(left, 1 << 30), 0);
    if (copied === undefined || copied === 0) break;
    left -= copied;
  }
  // What is left, and files of /proc that say they are empty. One that grows is copied as long as it was.
  for (let got = readFd(from, buffer); got > 0; got = readFd(from, buffer)) {
    writeFd(to, buffer.subarray(0, got));
    if (got === size) return;
  }
}

/** Truncates or extends the file behind a descriptor. */
export function truncateFd(fd: number, size: number): void {
  call("ftruncate", undefined, fd, size);
}
