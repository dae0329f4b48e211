import { call } from "./syscall.ts";

const times = Buffer.alloc(32);

/** Owner, mode and modification time (ns) of an open file, in the order that keeps setuid bits. */
export function setFileMetadata(
  fd: number,
  metadata: { readonly uid: number; readonly gid: number; readonly mode: number; readonly mtime: bigint },
): void {
  const { uid, gid, mode, mtime } = metadata;
  setFdOwner(fd, uid, gid);
  setFdMode(fd, mode);
  setFdTime(fd, mtime);
}

export function setFdOwner(fd: number, uid: number, gid: number): void {
  call("fchown", undefined, fd, uid, gid);
}

export function setFdMode(fd: number, mode: number): void {
  call("fchmod", undefined, fd, mode);
}

/** Modification time in nanoseconds; the access time becomes the same. */
export function setFdTime(fd: number, mtime: bigint): void {
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
