import { existsSync, mkdirSync, readdirSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { lock } from "../native/lock.ts";
import { Root, type Dir } from "../native/path.ts";
import { digestOf, splitDigest } from "./oci/digest.ts";

/** A bare repository that is written by nobody else. Dispose lets others have it. */
export interface HeldRepository extends Disposable {
  readonly directory: string;
}

/**
 * One bare repository for each remote, with what was ever fetched from it: `git/HASH/repo`. Locks are the kernel's, so
 * that a process that dies lets go.
 */
export class GitRepositories {
  readonly #root: string;

  constructor(root: string) {
    this.#root = join(root, "git");
  }

  /** Takes the remote's repository; the directory may not be there yet. */
  async take(remote: string, signal: AbortSignal): Promise<HeldRepository> {
    const directory = join(this.#root, splitDigest(digestOf(remote)).hex.slice(0, 40));
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const held = await lock(join(directory, "lock"), "exclusive", signal);
    const now = new Date();
    utimesSync(directory, now, now);
    return { directory: join(directory, "repo"), [Symbol.dispose]: () => held[Symbol.dispose]() };
  }

  /** Keys of ssh servers that were met. */
  get knownHosts(): string {
    mkdirSync(this.#root, { recursive: true, mode: 0o700 });
    return join(this.#root, "known_hosts");
  }

  /** Removes those not used for so long (ms). The caller holds the store alone. Returns their bytes. */
  collect(unusedFor: number): number {
    if (!existsSync(this.#root)) return 0;
    let bytes = 0;
    using root = Root.open(this.#root);
    for (const name of readdirSync(this.#root, { withFileTypes: true })) {
      if (!name.isDirectory() || statSync(join(this.#root, name.name)).mtimeMs > Date.now() - unusedFor) continue;
      bytes += sizeOf(root, name.name);
      root.removeTree(name.name);
    }
    return bytes;
  }
}

function sizeOf(parent: Dir, name: string): number {
  const stat = parent.stat(name);
  if (stat?.type !== "directory") return stat?.size ?? 0;
  using dir = parent.openDir(name);
  return dir.names().reduce((sum, child) => sum + sizeOf(dir, child), 0);
}
