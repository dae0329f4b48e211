import { closeSync, constants, openSync } from "node:fs";
import { call, tryCall } from "./syscall.ts";

const F_OFD_GETLK = 36;
const F_OFD_SETLK = 37;
const F_RDLCK = 0;
const F_WRLCK = 1;
const F_UNLCK = 2;

/**
 * Locks one byte of a file (made when missing; the byte need not be there) if nobody holds it; undefined otherwise. One
 * file serves any number of locks and leaves nothing to clean up. The kernel takes a lock back when the process ends,
 * however it ends. Every lock has a descriptor of its own, so that a process excludes itself too. @see fcntl_locking(2)
 */
export function tryLockByte(
  file: string,
  at: number,
  mode: "shared" | "exclusive" = "exclusive",
): Disposable | undefined {
  const fd = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    const type = mode === "shared" ? F_RDLCK : F_WRLCK;
    if (tryCall(["EAGAIN", "EACCES"], "fcntlLock", file, fd, F_OFD_SETLK, byteLock(type, at)) === undefined) {
      closeSync(fd);
      return undefined;
    }
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  let open = true;
  return {
    [Symbol.dispose]: () => {
      if (open) closeSync(fd);
      open = false;
    },
  };
}

/** Whether anybody holds the byte, through whatever descriptor but this one. */
export function isByteLocked(file: string, at: number): boolean {
  const fd = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    const lock = byteLock(F_WRLCK, at);
    call("fcntlLock", file, fd, F_OFD_GETLK, lock);
    return lock.readInt16LE(0) !== F_UNLCK;
  } finally {
    closeSync(fd);
  }
}

/**
 * Locks on many bytes of one file (made when missing) through one descriptor, which do not exclude each other. All of
 * them end with dispose or with the process.
 */
export class ByteLocks implements Disposable {
  readonly #file: string;
  readonly #fd: number;

  constructor(file: string) {
    this.#file = file;
    this.#fd = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600);
  }

  /** Has the byte together with others, also after it had it alone; false where another one has it alone. */
  share(at: number): boolean {
    return this.#set(F_RDLCK, at);
  }

  /** Has the byte alone, also after it shared it; false, and nothing changes, where others have it too. */
  take(at: number): boolean {
    return this.#set(F_WRLCK, at);
  }

  letGo(at: number): void {
    this.#set(F_UNLCK, at);
  }

  /** Whether others have the byte; without one, any byte at all. */
  hasOthers(at?: number): boolean {
    const lock = at === undefined ? rangeLock(F_WRLCK, 0, 0) : byteLock(F_WRLCK, at);
    call("fcntlLock", this.#file, this.#fd, F_OFD_GETLK, lock);
    return lock.readInt16LE(0) !== F_UNLCK;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  #set(type: number, at: number): boolean {
    const lock = byteLock(type, at);
    return tryCall(["EAGAIN", "EACCES"], "fcntlLock", this.#file, this.#fd, F_OFD_SETLK, lock) !== undefined;
  }
}

function byteLock(type: number, at: number): Buffer {
  return rangeLock(type, at, 1);
}

/** struct flock of 64-bit Linux: type, whence (0 = from the start), start, length (0 = to the end), pid (0 for these locks). */
function rangeLock(type: number, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(32);
  bytes.writeInt16LE(type, 0);
  bytes.writeBigInt64LE(BigInt(at), 8);
  bytes.writeBigInt64LE(BigInt(length), 16);
  return bytes;
}
