import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tryLock, tryLockExisting, type FileLock } from "../native/lock.ts";
import { Root } from "../native/path.ts";

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
      const lock = tryLock(join(directory, "lock"));
      if (lock !== undefined) return new Lease(id, directory, lock);
      // Between its making and its lock it looked like a dead one: who sweeps it has it now.
    }
  }

  /** A directory for what only this process needs. */
  get scratch(): string {
    return join(this.#directory, "scratch");
  }

  /** Names snapshots that this process needs as long as it runs, for collectors that do not wait for its end. */
  pin(ids: readonly string[]): void {
    writeFileSync(join(this.#directory, pins), `${ids.join("\n")}\n`, { mode: 0o600 });
  }

  /** The lock last: what is left when the process is killed meanwhile can be known for dead. */
  [Symbol.dispose](): void {
    rmSync(this.scratch, { recursive: true, force: true });
    rmSync(this.#directory, { recursive: true, force: true });
    this.#lock[Symbol.dispose]();
  }
}

const pins = "pins";

/** Leases that somebody has, or had until a moment ago, and the snapshots that they pin. */
export function heldLeases(root: string): { readonly ids: ReadonlySet<string>; readonly pinned: readonly string[] } {
  const directory = join(root, "leases");
  const ids = readdirSync(directory);
  return { ids: new Set(ids), pinned: ids.flatMap((id) => pinnedBy(join(directory, id, pins))) };
}

function pinnedBy(file: string): readonly string[] {
  try {
    return readFileSync(file, "utf8").trim().split("\n");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

/** Names of leases whose processes are gone. Their directories are removed after `sweep` did its part. */
export function sweepLeases(root: string, sweep: (leases: ReadonlySet<string>) => void): void {
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
  sweep(dead);
  using leases = Root.open(directory);
  for (const name of dead) {
    {
      using lease = leases.openDir(name);
      lease.removeTree("scratch");
    }
    leases.removeTree(name);
  }
}

/** Of a lease without a lock, which is just being made or removed. Older ones were so when their process was killed. */
const longestWithoutLock = 3_600_000;

/** Never makes the lock: its owner may have removed it a moment ago. */
function lockIfDead(directory: string): FileLock | undefined {
  const file = join(directory, "lock");
  try {
    return tryLockExisting(file);
  } catch {
    const made = statSync(directory, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
    return Date.now() - made > longestWithoutLock ? tryLock(file) : undefined;
  }
}
