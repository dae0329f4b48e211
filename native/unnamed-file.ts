import { randomBytes } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isAt, lockOpen } from "./lock.ts";
import { encodeCString } from "./pathname.ts";
import { tryCall } from "./syscall.ts";

const AT_FDCWD = -100;
const AT_SYMLINK_FOLLOW = 0x400;
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;
/** What open(2) says where the file system has no such files. */
const unsupported = new Set(["EOPNOTSUPP", "ENOTSUP", "EISDIR", "EINVAL"]);

/** A file in writing; dispose closes it, and removes it unless it was placed. */
export interface UnnamedFile extends Disposable {
  readonly fd: number;
  /** Closes the file and gives it the name that it was made for, in the place of what has that. */
  place(): void;
}

/**
 * A new file that is to become `target`. As long as it is written it has no name, so that a process that is killed leaves
 * nothing; where the file system cannot do that it is `TARGET.X.tmp`, locked, and the next one that is made for the same
 * target removes it. @throws an Error of node:fs, SyscallError
 */
export function openUnnamed(target: string, mode: number): UnnamedFile {
  const unnamed = tryUnnamed(dirname(target), mode);
  if (unnamed !== undefined) return new PendingFile(target, unnamed, undefined);
  sweepTemporaries(target);
  const name = temporaryName(target);
  const fd = openSync(name, "wx", mode);
  lockOpen(fd);
  return new PendingFile(target, fd, name);
}

class PendingFile implements UnnamedFile {
  readonly fd: number;
  readonly #target: string;
  #name: string | undefined;
  #open = true;

  constructor(target: string, fd: number, name: string | undefined) {
    this.fd = fd;
    this.#target = target;
    this.#name = name;
  }

  place(): void {
    if (this.#name === undefined && !this.#link(this.#target)) {
      sweepTemporaries(this.#target);
      lockOpen(this.fd);
      const name = temporaryName(this.#target);
      this.#link(name);
      this.#name = name;
    }
    this.#close(); // what the disk has to say of the bytes, it says before they are somebody's
    if (this.#name !== undefined) renameSync(this.#name, this.#target);
    this.#name = undefined;
  }

  [Symbol.dispose](): void {
    this.#close();
    if (this.#name !== undefined) rmSync(this.#name, { force: true });
  }

  /** False where the name is taken. @see open(2) O_TMPFILE */
  #link(name: string): boolean {
    const from = encodeCString(`/proc/self/fd/${this.fd}`);
    const to = encodeCString(name);
    return tryCall(["EEXIST"], "linkat", name, AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW) !== undefined;
  }

  #close(): void {
    if (this.#open) closeSync(this.fd);
    this.#open = false;
  }
}

function tryUnnamed(directory: string, mode: number): number | undefined {
  try {
    return openSync(directory, O_TMPFILE | constants.O_WRONLY, mode);
  } catch (error) {
    if (error instanceof Error && "code" in error && unsupported.has(String(error.code))) return undefined;
    throw error;
  }
}

/** Nobody can have put anything there. */
function temporaryName(path: string): string {
  return `${path}.${randomBytes(6).toString("hex")}.tmp`;
}

/** Removes those that processes of this user left which are gone. */
function sweepTemporaries(target: string): void {
  const directory = dirname(target);
  const prefix = `${basename(target)}.`;
  for (const name of readdirSync(directory)) {
    if (name.startsWith(prefix) && /^[0-9a-f]{12}\.tmp$/.test(name.slice(prefix.length)))
      removeIfLeft(join(directory, name));
  }
}

function removeIfLeft(path: string): void {
  let fd: number | undefined;
  try {
    // What another user put there is neither followed nor waited for.
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if (fstatSync(fd).uid === process.geteuid?.() && lockOpen(fd) && isAt(path, fd)) rmSync(path);
  } catch {
    // Somebody else was faster.
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
