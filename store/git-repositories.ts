import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { lock, lockInside, tryLock } from "../native/lock.ts";
import { Root, type Dir } from "../native/path.ts";
import { lastUseLimit } from "./last-use.ts";
import { digestOf, splitDigest } from "./oci/digest.ts";
import type { Trash } from "./trash.ts";

/** Checkouts of one remote that stay when nobody uses them. */
const keptCheckouts = 2;

/** Files of a commit, which nobody changes or removes before this is disposed. */
export interface HeldCheckout extends Disposable {
  readonly directory: string;
}

/**
 * One bare repository for each remote, with what was ever fetched from it, and the last checkouts: `git/HASH/repo` and
 * `git/HASH/checkouts/`. Locks are the kernel's, so that a process that dies lets go.
 */
export class GitRepositories {
  readonly #root: string;

  constructor(root: string) {
    this.#root = join(root, "git");
  }

  /** Takes the remote's repository. */
  async take(remote: string, signal: AbortSignal): Promise<HeldRepository> {
    const directory = join(this.#root, shortHash(remote));
    const held = await lockInside(directory, async (file) => await lock(file, "exclusive", signal));
    const now = new Date();
    utimesSync(directory, now, now);
    return new HeldRepository(directory, held);
  }

  /** Keys of ssh servers that were met. */
  get knownHosts(): string {
    mkdirSync(this.#root, { recursive: true, mode: 0o700 });
    return join(this.#root, "known_hosts");
  }

  /** Removes those that nobody uses and nobody used for so long (ms). Returns their bytes. */
  collect(unusedFor: number, trash: Trash): number {
    if (!existsSync(this.#root)) return 0;
    const limit = lastUseLimit(unusedFor);
    let bytes = 0;
    using root = Root.open(this.#root);
    for (const { name } of readdirSync(this.#root, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
      const directory = join(this.#root, name);
      using held = tryLock(join(directory, "lock"));
      if (held === undefined || statSync(directory).mtimeMs > limit || isCheckoutUsed(directory)) continue;
      bytes += sizeOf(root, name);
      trash.take(this.#root, name);
    }
    return bytes;
  }
}

/** Checkouts are taken by who holds the repository, and may be held longer. */
function isCheckoutUsed(repository: string): boolean {
  const checkouts = join(repository, "checkouts");
  if (!existsSync(checkouts)) return false;
  return readdirSync(checkouts)
    .filter((file) => file.endsWith(".lock"))
    .some((file) => {
      using free = tryLock(join(checkouts, file));
      return free === undefined;
    });
}

/** A repository that nobody else writes now. Dispose lets others have it; checkouts stay held. */
class HeldRepository implements Disposable {
  /** A bare repository; it may not be there yet. */
  readonly directory: string;
  readonly #checkouts: string;
  readonly #held: Disposable;

  constructor(directory: string, held: Disposable) {
    this.directory = join(directory, "repo");
    this.#checkouts = join(directory, "checkouts");
    this.#held = held;
  }

  /** The checkout of this name; if there is none, `fill` makes it in an empty directory. */
  async checkout(name: string, fill: (directory: string) => Promise<void>): Promise<HeldCheckout> {
    mkdirSync(this.#checkouts, { recursive: true, mode: 0o700 });
    const own = `${bootName()}-${shortHash(name)}`;
    const directory = join(this.#checkouts, own);
    const held = await lock(`${directory}.lock`, "shared");
    try {
      if (!existsSync(directory)) {
        const partial = `${directory}.partial`;
        this.#remove(`${own}.partial`);
        mkdirSync(partial, { mode: 0o755 });
        await fill(partial);
        renameSync(partial, directory);
      }
      const now = new Date();
      utimesSync(`${directory}.lock`, now, now);
      this.#evict(own);
      return { directory, [Symbol.dispose]: () => held[Symbol.dispose]() };
    } catch (error) {
      this.#remove(`${own}.partial`);
      held[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#held[Symbol.dispose]();
  }

  /** Removes the oldest of those that nobody uses, and all that a crash of the machine may have damaged. */
  #evict(own: string): void {
    const others = readdirSync(this.#checkouts)
      .filter((file) => file.endsWith(".lock") && file !== `${own}.lock`)
      .map((file) => ({ name: file.replace(/\.lock$/, ""), time: statSync(join(this.#checkouts, file)).mtimeMs }))
      .toSorted((a, b) => b.time - a.time);
    const stays = new Set(others.slice(0, keptCheckouts - 1).map(({ name }) => name));
    for (const { name } of others) {
      if (stays.has(name) && name.startsWith(`${bootName()}-`)) continue;
      using free = tryLock(join(this.#checkouts, `${name}.lock`));
      if (free === undefined) continue;
      for (const one of [name, `${name}.partial`]) this.#remove(one);
      rmSync(join(this.#checkouts, `${name}.lock`));
    }
  }

  #remove(name: string): void {
    using root = Root.open(this.#checkouts);
    if (root.stat(name) !== undefined) root.removeTree(name);
  }
}

/** Checkouts are not flushed to the disk: those from before the machine last started are not believed. */
function bootName(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").slice(0, 8);
  } catch {
    return `process${process.pid}`;
  }
}

function shortHash(text: string): string {
  return splitDigest(digestOf(text)).hex.slice(0, 40);
}

function sizeOf(parent: Dir, name: string): number {
  const stat = parent.stat(name);
  if (stat?.type !== "directory") return stat?.size ?? 0;
  using dir = parent.openDir(name);
  return dir.names().reduce((sum, child) => sum + sizeOf(dir, child), 0);
}
