import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { SyscallError } from "../native/errors.ts";
import { lock, lockInside, tryLock, type FileLock } from "../native/lock.ts";
import { Root, type Dir } from "../native/path.ts";
import { walkBelow } from "../native/walk.ts";
import { canOwn, inUserNamespace, unmappedError } from "../native/user-namespace.ts";
import { lastUseLimit } from "./last-use.ts";
import { digestOf, splitDigest } from "./oci/digest.ts";
import type { Trash } from "./trash.ts";

/** What tells one cache from another. Two with an id alone are the same only if they begin with the same content. */
export interface CacheIdentity {
  readonly id: string;
  /** Names what a new one holds; "" is nothing. */
  readonly seed: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** "shared": with everyone; "private": one that nobody else uses now; "locked": waits for the one. */
export type Sharing = "shared" | "private" | "locked";

/** A cache in use. Dispose lets others have it. */
export interface HeldCache extends Disposable {
  readonly directory: string;
}

/**
 * Directories that outlive builds: `mounts/HASH/N/data`, N above 0 for private ones that were in use at the same time.
 * One that was emptied while a step used it goes on as `data-1`, which the file `current` names: the step keeps the other.
 * Locks are the kernel's, so that a process that dies lets go.
 */
export class CacheMounts {
  readonly #root: string;

  constructor(root: string) {
    this.#root = join(root, "mounts");
  }

  /** A name for the cache, by which several are to be taken in order: then nobody waits in a circle. */
  key(identity: CacheIdentity): string {
    const { id, seed, mode, uid, gid } = identity;
    return splitDigest(digestOf(JSON.stringify([id, seed, mode, uid, gid]))).hex.slice(0, 40);
  }

  /** Takes the cache. A new one is filled by `fill` before anyone sees it. */
  async take(
    identity: CacheIdentity,
    options: {
      readonly sharing: Sharing;
      readonly fill: (directory: string) => Promise<void>;
      readonly signal: AbortSignal;
    },
  ): Promise<HeldCache> {
    const directory = join(this.#root, this.key(identity));
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const { place, held } = await hold(directory, options.sharing, options.signal);
    try {
      const data = join(place, currentName(place));
      if (!existsSync(data)) await make(data, identity, options);
      const now = new Date();
      utimesSync(place, now, now);
      return { directory: data, [Symbol.dispose]: () => held[Symbol.dispose]() };
    } catch (error) {
      held[Symbol.dispose]();
      throw error;
    }
  }

  /** Whoever takes the cache next finds it as a new one. Steps that use it now keep what they have. */
  async empty(identity: CacheIdentity, signal: AbortSignal): Promise<void> {
    const directory = join(this.#root, this.key(identity));
    if (!existsSync(directory)) return;
    for (const number of readdirSync(directory)) {
      try {
        await emptyPlace(join(directory, number), signal);
      } catch (error) {
        // Somebody removed it meanwhile.
        if (!(error instanceof Error) || !("code" in error) || error.code !== "ENOENT") throw error;
      }
    }
  }

  /** Removes those that nobody uses and nobody used for so long (ms). Returns their bytes on disk. */
  collect(unusedFor: number, trash: Trash): number {
    if (!existsSync(this.#root)) return 0;
    const limit = lastUseLimit(unusedFor);
    let bytes = 0;
    using root = Root.open(this.#root);
    for (const name of readdirSync(this.#root)) {
      using dir = root.openDir(name);
      for (const place of dir.names()) bytes += removeUnused(join(this.#root, name), { dir, place, limit, trash });
      tryRemoveEmpty(root, name);
    }
    return bytes;
  }
}

function removeUnused(
  directory: string,
  {
    dir,
    place,
    limit,
    trash,
  }: { readonly dir: Dir; readonly place: string; readonly limit: number; readonly trash: Trash },
): number {
  using held = tryLock(join(directory, place, "lock"));
  if (held === undefined || statSync(join(directory, place)).mtimeMs > limit) return 0;
  const bytes = diskUse(dir, place);
  trash.take(directory, place);
  return bytes;
}

/** A build may be about to take one in it. */
function tryRemoveEmpty(root: Root, name: string): void {
  try {
    root.rmdir(name);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
  }
}

async function hold(
  directory: string,
  sharing: Sharing,
  signal: AbortSignal,
): Promise<{ readonly place: string; readonly held: FileLock }> {
  for (let number = 0; ; number++) {
    const place = join(directory, String(number));
    const mode = sharing === "shared" ? "shared" : "exclusive";
    const held = await lockInside(place, async (file) =>
      sharing === "private" ? tryLock(file) : await lock(file, mode, signal),
    );
    if (held !== undefined) return { place, held };
  }
}

/** The name of the directory that the cache is now. */
function currentName(place: string): string {
  const file = join(place, "current");
  return existsSync(file) ? readFileSync(file, "utf8") : "data";
}

async function emptyPlace(place: string, signal: AbortSignal): Promise<void> {
  using _making = await lock(join(place, "make.lock"), "exclusive", signal);
  using unused = tryLock(join(place, "lock"));
  if (unused === undefined) return nextName(place);
  using dir = Root.open(place);
  for (const name of dir.names()) if (/^(?:data|data-\d+|new)$/.test(name)) dir.removeTree(name);
}

/** Makes the cache one that is not there yet. */
function nextName(place: string): void {
  const [, number = "0"] = currentName(place).split("-");
  const temporary = join(place, "current.new");
  writeFileSync(temporary, `data-${Number(number) + 1}`, { mode: 0o600 });
  renameSync(temporary, join(place, "current"));
}

/** One process at a time makes it; it appears as a whole. */
async function make(
  data: string,
  { mode, uid, gid }: CacheIdentity,
  { fill, signal }: { readonly fill: (directory: string) => Promise<void>; readonly signal: AbortSignal },
): Promise<void> {
  const place = dirname(data);
  using _making = await lock(join(place, "make.lock"), "exclusive", signal);
  if (existsSync(data)) return;
  using dir = Root.open(place);
  dir.removeTree("new");
  dir.mkdir("new", 0o700);
  if (inUserNamespace() && !canOwn(uid, gid)) throw unmappedError("Cannot make the cache: its owner", uid, gid);
  await fill(join(place, "new"));
  dir.chown("new", uid, gid);
  dir.chmod("new", mode);
  dir.rename("new", dir, basename(data));
}

/** Of all that is below, each inode for its own. */
function diskUse(parent: Dir, name: string): number {
  using dir = parent.openDir(name);
  let bytes = 0;
  for (const { stat } of walkBelow(dir)) {
    if (stat.type !== "directory") bytes += Math.ceil(stat.size / Math.max(1, stat.nlink));
  }
  return bytes;
}
