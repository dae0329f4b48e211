import { call } from "./syscall.ts";

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
  call("futimens", undefined, fd, bothTimes(mtime));
}

const times = new BigInt64Array(4);
const timesBytes = new Uint8Array(times.buffer);
const billion = 1_000_000_000n;
let last = 0n;

/** Two struct timespec with the same time in nanoseconds; valid until the next call. Many files have the one before's. */
export function bothTimes(mtime: bigint): Uint8Array {
  if (mtime !== last) {
    const nanoseconds = ((mtime % billion) + billion) % billion;
    times[0] = times[2] = (mtime - nanoseconds) / billion;
    times[1] = times[3] = nanoseconds;
    last = mtime;
  }
  return timesBytes;
}
