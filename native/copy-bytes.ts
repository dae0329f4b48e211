import { extentAt, worthAsking } from "./extents.ts";
import { call, readFd, seekFd, tryCall, writeFd } from "./syscall.ts";

const buffer = Buffer.allocUnsafe(1 << 20);
const fallback = ["EXDEV", "EINVAL", "ENOSYS", "EOPNOTSUPP", "ENOTSUP", "EIO", "EPERM", "EBADF"];

/** Copies all bytes of a file to an empty one: in the kernel where it can. Holes stay holes, and cost nothing. */
export function copyBytes(from: number, to: number, size: number): void {
  // A call that works page by page costs more than two plain ones while everything fits one buffer.
  if (size <= worthAsking) return copySmall(from, to, size);
  for (let at = 0; at < size;) {
    const { hole, end } = extentAt(from, at, size);
    if (!hole) copyExtent(from, to, { at, end });
    at = end;
  }
  truncateFd(to, size);
}

/** Also files of /proc that say they are empty. One that grows is copied as long as it was. */
function copySmall(from: number, to: number, size: number): void {
  for (let got = readFd(from, buffer); got > 0; got = readFd(from, buffer)) {
    writeFd(to, buffer.subarray(0, got));
    if (got === size) return;
  }
}

function copyExtent(from: number, to: number, { at, end }: { readonly at: number; readonly end: number }): void {
  seekFd(to, at);
  let left = end - at;
  while (left > 0) {
    const copied = tryCall(fallback, "copy_file_range", undefined, from, null, to, null, Math.min(left, 1 << 30), 0);
    if (copied === undefined || copied === 0) break;
    left -= copied;
  }
  while (left > 0) {
    const got = readFd(from, buffer.subarray(0, Math.min(left, buffer.length)));
    if (got === 0) return;
    writeFd(to, buffer.subarray(0, got));
    left -= got;
  }
}

/** Truncates or extends the file behind a descriptor. */
export function truncateFd(fd: number, size: number): void {
  call("ftruncate", undefined, fd, size);
}
