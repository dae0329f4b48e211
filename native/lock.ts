import { constants, openSync, closeSync, fstatSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
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

/** Locks a file that is open, until it is closed; false where somebody holds it. */
export function lockOpen(fd: number, mode: "shared" | "exclusive" = "exclusive"): boolean {
  const flags = (mode === "shared" ? LOCK_SH : LOCK_EX) | LOCK_NB;
  return tryCall(["EAGAIN", "EWOULDBLOCK"], "flock", undefined, fd, flags) !== undefined;
}

function lockFd(fd: number, mode: "shared" | "exclusive"): FileLock | undefined {
  if (lockOpen(fd, mode)) return { fd, [Symbol.dispose]: () => closeSync(fd) };
  closeSync(fd);
  return undefined;
}

/**
 * Whether the path still leads to what was locked: between the opening and the lock its last owner may have removed it,
 * and then the lock says nothing.
 */
export function isAt(path: string, fd: number): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return false;
  const held = fstatSync(fd);
  return found.ino === held.ino && found.dev === held.dev;
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

/**
 * The lock `lock` in a directory, which is made when missing, by `take`. Until the lock is had somebody else may have
 * taken the directory away: then it is made again.
 */
export async function lockInside<T extends FileLock | undefined>(
  directory: string,
  take: (file: string) => Promise<T>,
): Promise<T> {
  const file = join(directory, "lock");
  for (;;) {
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      const held = await take(file);
      if (held === undefined || isAt(file, held.fd)) return held;
      held[Symbol.dispose]();
    } catch (error) {
      if (!(error instanceof Error) || !("code" in error) || error.code !== "ENOENT") throw error;
    }
  }
}
