import { call } from "./syscall.ts";

const times = Buffer.alloc(32);

/** Owner, mode and modification time (ns) of an open file, in the order that keeps setuid bits. */
export function setFileMetadata(
  fd: number,
  metadata: { readonly uid: number; readonly gid: number; readonly mode: number; readonly mtime: bigint },
): void {
  const { uid, gid, mode, mtime } = metadata;
  call("fchown", undefined, fd, uid, gid);
  call("fchmod", undefined, fd, mode);
  writeTimes(times, mtime);
  call("futimens", undefined, fd, times);
}

/** Two struct timespec with the same time in nanoseconds. */
export function writeTimes(buffer: Buffer, mtime: bigint): void {
  const billion = 1_000_000_000n;
  const nanoseconds = ((mtime % billion) + billion) % billion;
  const seconds = (mtime - nanoseconds) / billion;
  for (const at of [0, 16]) {
    buffer.writeBigInt64LE(seconds, at);
    buffer.writeBigInt64LE(nanoseconds, at + 8);
  }
}
