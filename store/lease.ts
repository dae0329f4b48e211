import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { SyscallError } from "../native/errors.ts";
import { isAt, tryLock, tryLockExisting, type FileLock } from "../native/lock.ts";
import { Root } from "../native/path.ts";
import { noteOutside, removeOutside } from "./outside.ts";

/**
 * What a process has in the store before it is recorded. The lease is a directory with a lock that the kernel takes
 * back when the process ends, however it ends; whoever opens the store next sweeps what dead leases left.
 */
export class Lease implements Disposable {
  /** Prefix of the names of everything made under it. */
  readonly id: string;
  readonly #directory: string;
  readonly #lock: FileLock;

  private constructor(id: string, directory: string, lock: FileLock) {
    this.id = id;
    this.#directory = directory;
    this.#lock = lock;
  }

  /** Takes a new lease below the store's root. */
  static take(root: string): Lease {
    for (;;) {
      const id = randomBytes(6).toString("hex");
      const directory = join(root, "leases", id);
      mkdirSync(join(directory, "scratch"), { recursive: true, mode: 0o700 });
      const lock = lockOf(directory);
      if (lock !== undefined) return new Lease(id, directory, lock);
      // Between its making and its lock it looked like a dead one: who sweeps it has it now.
    }
  }

  /** A directory for what only this process needs. */
  get scratch(): string {
    return join(this.#directory, "scratch");
  }

  /** Names a directory outside of the store, before it is made, that is to go with this process. @see noteOutside */
  noteOutside(path: string): void {
    noteOutside(join(this.#directory, outside), path);
  }

  /** The lock last: what is left when the process is killed meanwhile, or cannot be removed, can be known for dead. */
  [Symbol.dispose](): void {
    try {
      rmSync(this.scratch, { recursive: true, force: true });
      rmSync(this.#directory, { recursive: true, force: true });
    } catch {
      // Whoever opens the store next tries again.
    }
    this.leave();
  }

  /** Lets go of the lease and leaves all that is there to whoever opens the store next. */
  leave(): void {
    this.#lock[Symbol.dispose]();
  }
}

/** The file that names what a process has outside of the store. */
const outside = "outside";

function lockOf(directory: string): FileLock | undefined {
  try {
    return lockAt(join(directory, "lock"), tryLock);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** Leases that somebody has, or had until a moment ago. */
export function heldLeases(root: string): ReadonlySet<string> {
  return new Set(readdirSync(join(root, "leases")));
}

/**
 * Has what leases of dead processes left removed: `sweep` is told their names, and returns those of which something
 * could not be removed. Their directories go after that, but for those. What is left is found again by the next one.
 */
export function sweepLeases(root: string, sweep: (leases: ReadonlySet<string>) => ReadonlySet<string>): void {
  const directory = join(root, "leases");
  using stack = new DisposableStack();
  const dead = new Set<string>();
  for (const name of readdirSync(directory)) {
    const lock = lockIfDead(join(directory, name));
    if (lock !== undefined) {
      stack.use(lock);
      dead.add(name);
    }
  }
  if (dead.size === 0) return;
  const left = sweep(dead);
  using leases = Root.open(directory);
  for (const name of dead)
    if (removeOutside(join(directory, name, outside)) && !left.has(name)) removeLease(leases, name);
}

function removeLease(leases: Root, name: string): void {
  try {
    {
      using lease = leases.openDir(name);
      lease.removeTree("scratch");
    }
    leases.removeTree(name);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error; // something is mounted there, or the disk fails
  }
}

/**
 * One without a lock file was being made or removed when its process was killed; or that is going on, and then its owner
 * finds it taken, makes another one, or leaves the rest to us.
 */
function lockIfDead(directory: string): FileLock | undefined {
  try {
    return lockAt(join(directory, "lock"), tryLockExisting);
  } catch (error) {
    if (!isAbsent(error)) throw error;
    return lockOf(directory);
  }
}

/** A lock on a file that is still there. */
function lockAt(file: string, lock: (file: string) => FileLock | undefined): FileLock | undefined {
  const held = lock(file);
  if (held === undefined || isAt(file, held.fd)) return held;
  held[Symbol.dispose]();
  return undefined;
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}
