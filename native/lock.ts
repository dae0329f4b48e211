import { constants, openSync, closeSync } from "node:fs";
import { tryCall } from "./syscall.ts";

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;
/** Between two tries; a lock is held for milliseconds where it is waited for. */
const pause = 10;

/** A lock on a file; the kernel takes it back when the process ends, however it ends. */
export interface FileLock extends Disposable {
  readonly fd: number;
}

/** Locks the file (made when missing) if nobody holds it; undefined otherwise. @see flock(2) */
export function tryLock(file: string, mode: "shared" | "exclusive" = "exclusive"): FileLock | undefined {
  return lockFd(openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600), mode);
}

/** The same for a file or a directory that must be there already. @throws an Error of node:fs, ENOENT */
export function tryLockExisting(path: string): FileLock | undefined {
  return lockFd(openSync(path, constants.O_RDONLY), "exclusive");
}

function lockFd(fd: number, mode: "shared" | "exclusive"): FileLock | undefined {
  const flags = (mode === "shared" ? LOCK_SH : LOCK_EX) | LOCK_NB;
  if (tryCall(["EAGAIN", "EWOULDBLOCK"], "flock", undefined, fd, flags) === undefined) {
    closeSync(fd);
    return undefined;
  }
  return { fd, [Symbol.dispose]: () => closeSync(fd) };
}

/** Waits for the lock. */
export async function lock(
  file: string,
  mode: "shared" | "exclusive" = "exclusive",
  signal?: AbortSignal,
): Promise<FileLock> {
  for (;;) {
    signal?.throwIfAborted();
    const held = tryLock(file, mode);
    if (held !== undefined) return held;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** Makes a shared lock exclusive if no other process has it; false leaves it shared. */
export function upgrade(held: FileLock): boolean {
  if (tryCall(["EAGAIN", "EWOULDBLOCK"], "flock", undefined, held.fd, LOCK_EX | LOCK_NB) !== undefined) return true;
  // A failed conversion gives the old lock up. @see flock(2)
  tryCall([], "flock", undefined, held.fd, LOCK_SH);
  return false;
}
