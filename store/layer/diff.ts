import type { Cancellation } from "../../native/cancellation.ts";
import { DirStack } from "../../native/dir-stack.ts";
import { extentAt, worthAsking } from "../../native/extents.ts";
import { openFlags, Root, type Dir, type Stat } from "../../native/path.ts";
import { comparePaths } from "../../native/pathname.ts";
import { closeFd, readFd, seekFd } from "../../native/syscall.ts";
import { Below, type Found } from "./below.ts";
import type { Change, EntryStat } from "./change.ts";
import { requireShortPath } from "./storable.ts";
import { isOpaque, isWhiteout } from "./whiteout.ts";
import { isLayerXattr } from "./xattrs.ts";

/** Options of a diff. `ignore`: paths that are not part of it, with all below. `limit`: end early with more changes. */
export interface DiffOptions {
  readonly ignore?: ReadonlySet<string>;
  readonly limit?: number;
  readonly signal?: Cancellation;
}

/**
 * What an overlayfs upper directory changes over its lower directories (topmost first), in the order of a layer:
 * whiteouts of a directory before its other entries, then names in byte order, parents first.
 * A file that was copied up and is the same again is no change, unless a hard link of it is one. A directory of which
 * only times differ is one when something in it is: who unpacks this layer by itself must know its owner and mode.
 * An opaque directory becomes whiteouts of what it hides. Sockets are left out; what they took the place of is gone.
 */
export function diffLayer(upper: string, lowers: readonly string[], options: DiffOptions = {}): readonly Change[] {
  using top = Root.open(upper);
  const diff = new Diff(options, new Set());
  diff.run(top, lowers);
  const split = diff.splitLinks();
  if (split.size === 0) return diff.changes;
  const whole = new Diff(options, split);
  whole.run(top, lowers);
  return whole.changes;
}

/** An entry of a directory, and its path. */
interface Entry {
  readonly name: string;
  readonly path: string;
  readonly stat: Stat;
}

/** A directory that is being compared. */
interface Level {
  readonly entries: readonly Entry[];
  next: number;
  /** It or a directory on the way hides what is below: what that has and this has not is gone without a whiteout of its own. */
  readonly opaque: boolean;
  /** Where its own change is, if it is none by itself. */
  readonly unchanged: number | undefined;
}

class Diff {
  readonly changes: Change[] = [];
  readonly #ignore: ReadonlySet<string>;
  readonly #limit: number;
  readonly #signal: Cancellation | undefined;
  /** Inodes whose links are all in the layer, also those that are as before. */
  readonly #together: ReadonlySet<string>;
  /** First path of each inode with several links. */
  readonly #links = new Map<string, string>();
  /** Inodes with several links of which one is as it was below. */
  readonly #unchanged = new Set<string>();

  constructor({ ignore = new Set(), limit = Infinity, signal }: DiffOptions, together: ReadonlySet<string>) {
    this.#ignore = ignore;
    this.#limit = limit;
    this.#signal = signal;
    this.#together = together;
  }

  /** Inodes with a link in the layer and another one that is as before: a link cannot name what the layer has not. */
  splitLinks(): ReadonlySet<string> {
    return new Set([...this.#unchanged].filter((inode) => this.#links.has(inode)));
  }

  run(top: Root, lowers: readonly string[]): void {
    using dirs = new DirStack(top);
    using below = Below.open(lowers);
    const levels = [this.#level({ dir: top, path: "" }, below, { opaque: false, unchanged: undefined })];
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const entry = level.entries[level.next++];
      if (entry !== undefined) {
        if (isGone(entry.stat)) continue;
        const inner = this.#entry(dirs, below, entry, level.opaque);
        if (inner !== undefined) levels.push(inner);
        continue;
      }
      levels.pop();
      if (levels.length === 0) return;
      dirs.pop();
      below.leave();
      // With more than the limit nobody has looked into it.
      const { unchanged: at } = level;
      if (at !== undefined && this.changes.length === at + 1 && at < this.#limit) this.changes.pop();
    }
  }

  /** What is in a directory; what is gone from it comes first in a layer. */
  #level({ dir, path }: { dir: Dir; path: string }, below: Below, state: Pick<Level, "opaque" | "unchanged">): Level {
    this.#signal?.throwIfAborted();
    if (this.changes.length > this.#limit) return { ...state, entries: [], next: 0 };
    const names = dir.names().toSorted(comparePaths);
    const entries = names.flatMap((name) => {
      const at = join(path, name);
      const stat = this.#ignore.has(at) ? undefined : dir.stat(name);
      return stat === undefined ? [] : [{ name, path: at, stat }];
    });
    if (state.opaque) this.#vanished(dir, below, path);
    for (const { name, path: at, stat } of entries) {
      if (isGone(stat) && below.find(name) !== undefined) this.changes.push({ kind: "delete", path: at });
    }
    return { ...state, entries, next: 0 };
  }

  /** The directory's own entries, if it is one. @throws E_LAYER_NAME */
  #entry(dirs: DirStack, below: Below, entry: Entry, opaque: boolean): Level | undefined {
    const { name, path, stat } = entry;
    requireShortPath(path);
    const dir = dirs.top;
    const old = below.find(name);
    const unchanged = old !== undefined && same({ dir, name, stat }, old);
    if (stat.type !== "directory") {
      if (!unchanged || this.#together.has(inodeOf(stat))) this.#push(dir, entry, old);
      else if (stat.nlink > 1) this.#unchanged.add(inodeOf(stat));
      return undefined;
    }
    const at = this.changes.length;
    this.#push(dir, entry, old);
    const hides = isOpaque(dir, name);
    if (old?.stat.type === "directory") below.enter(name);
    else below.enterNothing();
    // What hides nothing need not be looked for.
    const state = { opaque: !below.empty && (opaque || hides), unchanged: unchanged ? at : undefined };
    return this.#level({ dir: dirs.push(name), path }, below, state);
  }

  #push(dir: Dir, entry: Entry, old: Found | undefined): void {
    const kind = old === undefined ? "add" : "modify";
    this.changes.push({ kind, path: entry.path, stat: this.#describe(dir, entry) });
  }

  /** Whiteouts for the names of the lower directories that an opaque one does not have. */
  #vanished(dir: Dir, lower: Below, path: string): void {
    const names = new Set([...lower].flatMap((one) => one.names()));
    for (const name of [...names].toSorted(comparePaths)) {
      if (dir.stat(name) === undefined && lower.find(name) !== undefined) {
        this.changes.push({ kind: "delete", path: join(path, name) });
      }
    }
  }

  #describe(dir: Dir, { name, path, stat }: Entry): EntryStat {
    const { mode, uid, gid, mtime } = stat;
    if (stat.nlink > 1 && stat.type !== "directory") {
      const first = this.#links.get(inodeOf(stat));
      if (first !== undefined) return { type: "hardlink", mode, uid, gid, size: 0, mtime, linkname: first };
      this.#links.set(inodeOf(stat), path);
    }
    const xattrs = readXattrs(dir, name, stat);
    const type = stat.type === "socket" ? "file" : stat.type;
    return {
      type,
      mode: type === "symlink" ? 0o777 : mode,
      uid,
      gid,
      size: type === "file" ? stat.size : 0,
      mtime,
      ...(type === "symlink" ? { linkname: dir.readlink(name) } : {}),
      ...(type === "char" || type === "block" ? { devmajor: stat.devmajor, devminor: stat.devminor } : {}),
      ...(xattrs.size === 0 ? {} : { xattrs }),
    };
  }
}

function inodeOf({ dev, ino }: Stat): string {
  return `${dev}:${ino}`;
}

/** Whether an entry of the upper directory stands for nothing in a layer. */
function isGone(stat: Stat): boolean {
  return isWhiteout(stat) || stat.type === "socket";
}

/** Whether two entries are the same to whoever reads the image. Cheap facts first, content last. */
function same(a: Found, b: Found): boolean {
  const [x, y] = [a.stat, b.stat];
  if (x.type !== y.type || x.uid !== y.uid || x.gid !== y.gid) return false;
  if (x.type !== "symlink" && x.mode !== y.mode) return false;
  if (x.type !== "directory" && (x.mtime !== y.mtime || x.size !== y.size)) return false;
  if (x.devmajor !== y.devmajor || x.devminor !== y.devminor) return false;
  if (x.type === "symlink" && a.dir.readlink(a.name) !== b.dir.readlink(b.name)) return false;
  if (!sameXattrs(readXattrs(a.dir, a.name, x), readXattrs(b.dir, b.name, y))) return false;
  return x.type !== "file" || sameContent(a, b);
}

const noXattrs: ReadonlyMap<string, Uint8Array> = new Map();

/** Attributes that go into a layer. */
function readXattrs(dir: Dir, name: string, stat: Stat): ReadonlyMap<string, Uint8Array> {
  const keys = stat.type === "file" || stat.type === "directory" ? dir.listxattr(name) : [];
  if (keys.length === 0) return noXattrs;
  const found = new Map<string, Uint8Array>();
  for (const key of keys.filter(isLayerXattr).toSorted()) {
    const value = dir.getxattr(name, key);
    if (value !== undefined) found.set(key, value);
  }
  return found;
}

function sameXattrs(a: ReadonlyMap<string, Uint8Array>, b: ReadonlyMap<string, Uint8Array>): boolean {
  return a.size === b.size && [...a].every(([key, value]) => Buffer.from(value).equals(b.get(key) ?? Buffer.of(0)));
}

const [left, right] = [Buffer.allocUnsafe(256 << 10), Buffer.allocUnsafe(256 << 10)];

function sameContent(a: Found, b: Found): boolean {
  using stack = new DisposableStack();
  const open = ({ dir, name }: Found): number => stack.adopt(dir.openFile(name, openFlags.read), closeFd);
  const [x, y] = [open(a), open(b)];
  const { size } = a.stat;
  if (size < worthAsking) return sameBytes(x, y, Infinity);
  for (let at = 0; at < size;) {
    const [one, other] = [extentAt(x, at, size), extentAt(y, at, size)];
    const end = Math.min(one.end, other.end);
    if (one.hole !== other.hole) seekFd(one.hole ? x : y, at);
    if (!(one.hole && other.hole) && !sameBytes(x, y, end - at)) return false;
    at = end;
  }
  return true;
}

/** Whether so many bytes from where both are, or all to the end, are the same. */
function sameBytes(x: number, y: number, size: number): boolean {
  for (let rest = size; rest > 0;) {
    const [gotX, gotY] = [readFull(x, left, rest), readFull(y, right, rest)];
    if (gotX !== gotY || left.compare(right, 0, gotY, 0, gotX) !== 0) return false;
    if (gotX === 0) return true;
    rest -= gotX;
  }
  return true;
}

function readFull(fd: number, into: Buffer, size: number): number {
  const buffer = into.subarray(0, Math.min(size, into.length));
  let at = 0;
  while (at < buffer.length) {
    const got = readFd(fd, buffer.subarray(at));
    if (got === 0) break;
    at += got;
  }
  return at;
}

function join(parent: string, name: string): string {
  return parent === "" ? name : `${parent}/${name}`;
}
