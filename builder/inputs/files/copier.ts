import { basename, dirname } from "node:path/posix";
import type { ModeChange } from "../../base/patterns/file-mode.ts";
import { DirStack } from "../../../native/dir-stack.ts";
import { CreationDefaults } from "../../../native/new-file.ts";
import { checkPathLength } from "../../../native/pathname.ts";
import { openFlags, type Dir, type Root, type Stat } from "../../../native/path.ts";
import { copyBytes } from "../../../native/copy-bytes.ts";
import { setFileMetadata } from "../../../native/file.ts";
import { closeFd, seekFd, writeFd } from "../../../native/syscall.ts";
import type { InlineFile } from "../../graph/opspec.ts";
import { copyFile } from "./copy-file.ts";
import { copiedXattr } from "./hash-file.ts";
import { join, makeRoom, notDirectory, parentOf, severalToOne } from "./place.ts";
import { parentInRoot, resolveInRoot, statInRoot } from "./resolve.ts";
import { noFilter, type CopyFilter, type FilterState } from "./filter.ts";
import type { SourceFile } from "./source-file.ts";
import type { Source } from "./sources.ts";
import { hasShown, namesOf, type SourceTree } from "./tree.ts";
import { monotonic } from "../../../native/clock.ts";

/** How a copy changes what it copies. */
export interface CopyRules {
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  /** What happens to the permission bits of every file and directory copied. */
  readonly mode: ModeChange | undefined;
  /** Permission bits of directories that have no source; default 0755. */
  readonly createdMode?: number;
  /** Of directories that have no source, in nanoseconds. */
  readonly createdTime: bigint;
  /** Of everything else, in nanoseconds; undefined: as in the source. */
  readonly time?: bigint | undefined;
  readonly signal: AbortSignal;
  /** Told of each file that is copied, by its path below the source. */
  readonly onFile?: ((relative: string, size: number) => void) | undefined;
}

interface Entry {
  readonly dir: Dir;
  readonly name: string;
}

/** A directory of the destination; `fresh`: nothing is in it but what this copy puts there. */
interface Opened {
  readonly dir: Dir;
  readonly fresh: boolean;
  readonly defaults: CreationDefaults;
}

/** What is read: a tree, and what of it. */
interface Chosen {
  readonly tree: SourceTree;
  readonly filter: CopyFilter;
}

/** What a tree says of all that is in it. */
type Ownership = Pick<SourceTree, "owner" | "socketsAsFiles">;

/** A directory whose entries are copied. `path` is from the tree's root, `relative` from the source. */
interface Level {
  /** The names that are still to come, last first. */
  readonly names: string[];
  readonly path: string;
  readonly relative: string;
  readonly target: string;
  readonly state: FilterState | undefined;
  /** What it is in the directory above; undefined: the source itself. */
  readonly own: SourceDirectory | undefined;
  /** Of the directory in the destination, once it is there; `fresh`: this copy made it. */
  readonly defaults: CreationDefaults;
  fresh: boolean;
}

/** `included` false: a directory on the way to what may be chosen. */
interface SourceDirectory {
  readonly name: string;
  readonly stat: Stat;
  readonly included: boolean;
}

/** Where a copy is: the directories of the source, and those of the destination, which are made when something lands in one. */
interface Places {
  readonly what: Chosen;
  readonly from: DirStack;
  readonly to: DirStack;
  readonly levels: Level[];
}

/** Longest time the event loop waits for a copy, in milliseconds. */
const sliceTime = 12;

/**
 * Copies trees into a root file system as `cp -a` of BuildKit does (fsutil copy): contents of a directory are merged,
 * a file replaces what is no directory, missing parents are made, symlinks in the destination's path are followed
 * inside the root, hard links within one COPY stay links.
 */
export class Copier {
  readonly #dest: Root;
  readonly #rules: CopyRules;
  /** First copy of each inode with several links: path in the destination. */
  readonly #links = new Map<string, string>();
  /** Directories made, merged or written to, and the time each gets when all is done: their content changes it before. */
  readonly #times = new Map<string, bigint>();
  /** Files that a destination named, by the source that is there; a later source must not take its place. */
  readonly #named = new Map<string, number>();
  #source = 0;
  #sliceStart = monotonic();

  constructor(dest: Root, rules: CopyRules) {
    this.#dest = dest;
    this.#rules = rules;
  }

  /** Modification time in nanoseconds of directories that have no source. */
  get createdTime(): bigint {
    return this.#rules.createdTime;
  }

  /** What is copied next is another source of the instruction. */
  nextSource(): void {
    this.#source++;
  }

  /**
   * Copies one source, or what the filter chooses of it, to a destination path (absolute; a trailing slash means a
   * directory). @throws E_COPY_TARGET
   */
  async copy(tree: SourceTree, source: Source, dest: string, filter: CopyFilter = noFilter): Promise<void> {
    if (source.stat.type !== "directory") {
      this.#copySingle(tree, source, this.#fileTarget(basename(source.path), dest));
      return;
    }
    const { target, existing } = this.#resolveTarget(dest);
    this.makeDirs(existing === undefined ? target : parentOf(target));
    await this.#mergeRoot({ tree, filter }, source, target);
  }

  /** Writes a file of root's, 0644, to a destination path as copy() does. @throws E_COPY_TARGET */
  write({ name, content }: InlineFile, dest: string): void {
    const stat = { mode: 0o644, mtime: this.#rules.createdTime };
    this.#newFile(name, dest, stat, (fd) => writeFd(fd, Buffer.from(content)));
  }

  /** Copies an open file, root's, to a destination path as copy() does. @throws E_COPY_TARGET */
  place(file: SourceFile, dest: string): void {
    this.#newFile(file.name, dest, file, (fd) => {
      seekFd(file.fd, 0);
      copyBytes(file.fd, fd, file.size);
    });
  }

  #newFile(
    name: string,
    dest: string,
    stat: { readonly mode: number; readonly mtime: bigint },
    fill: (fd: number) => void,
  ): void {
    const target = this.#fileTarget(name, dest);
    const found = parentInRoot(this.#dest, target);
    if (found === undefined) throw notDirectory(parentOf(target));
    using dir = found.dir;
    this.#keepTime(dir, parentOf(target));
    makeRoom(dir, found.name, target);
    const fd = dir.openFile(found.name, openFlags.createNew, 0o600);
    try {
      fill(fd);
      const { owner = { uid: 0, gid: 0 }, mode } = this.#rules;
      const { mtime } = stat;
      setFileMetadata(fd, { ...owner, mode: mode === undefined ? stat.mode : mode(stat.mode, false), mtime });
    } finally {
      closeFd(fd);
    }
  }

  /** Where a destination leads, with what is on the way to it made. */
  #resolveTarget(dest: string): { readonly target: string; readonly existing: Stat | undefined } {
    this.makeDirs(resolveInRoot(this.#dest, dest.endsWith("/") ? dest : dirname(dest)));
    const target = resolveInRoot(this.#dest, dest);
    return { target, existing: statInRoot(this.#dest, target) };
  }

  /** Where a file goes: into the destination if that is a directory. @throws E_COPY_DEST */
  #fileTarget(name: string, dest: string): string {
    const { target, existing } = this.#resolveTarget(dest);
    if (existing?.type === "directory") return join(target, name);
    const other = this.#named.get(target) ?? this.#source;
    if (other !== this.#source) throw severalToOne(dest);
    this.#named.set(target, this.#source);
    this.makeDirs(parentOf(target));
    return target;
  }

  /** Makes the directory and its missing parents; existing ones stay as they are. @throws E_COPY_TARGET */
  makeDirs(path: string, mode: number = this.#rules.createdMode ?? 0o755): void {
    let at = "";
    for (const part of path.split("/").filter((one) => one !== "")) {
      at = join(at, part);
      const found = parentInRoot(this.#dest, at);
      if (found === undefined) throw notDirectory(parentOf(at));
      using dir = found.dir;
      const stat = dir.stat(found.name);
      if (stat?.type === "directory") continue;
      if (stat !== undefined) throw notDirectory(at);
      this.#keepTime(dir, parentOf(at));
      dir.mkdir(found.name, 0o700);
      dir.chmod(found.name, mode);
      if (this.#rules.owner !== undefined) dir.chown(found.name, this.#rules.owner.uid, this.#rules.owner.gid);
      this.#times.set(at, this.#rules.createdTime);
    }
  }

  /** Sets the times of directories; call once, at the end. */
  finish(): void {
    for (const [path, time] of [...this.#times].toReversed()) {
      const found = parentInRoot(this.#dest, path);
      if (found === undefined) continue;
      using dir = found.dir;
      dir.utimens(found.name, time);
    }
  }

  /** A directory that was there before is as old after the copy: layers would differ by the time of the build. */
  #keepTime(dir: Dir, path: string): void {
    if (path !== "" && !this.#times.has(path)) this.#times.set(path, dir.statSelf().mtime);
  }

  /** Copies the entries of a directory into another, in byte order. */
  async #mergeRoot(what: Chosen, source: Source, target: string): Promise<void> {
    if (statInRoot(this.#dest, target)?.type !== "directory") throw notDirectory(target);
    using start = what.tree.root.dir(source.resolved);
    using into = this.#dest.dir(target);
    this.#keepTime(into, target);
    using from = new DirStack(start);
    using to = new DirStack(into);
    const top = { path: source.resolved, relative: "", target, state: undefined, own: undefined };
    const places: Places = { what, from, to, levels: [levelOf(start, top)] };
    for (let level = places.levels.at(-1); level !== undefined; level = places.levels.at(-1)) {
      const name = level.names.pop();
      if (name === undefined) this.#leave(places);
      else {
        if (monotonic() - this.#sliceStart > sliceTime) await this.#breathe();
        this.#mergeEntry(places, level, name);
      }
    }
  }

  #copySingle(tree: SourceTree, source: Source, target: string): void {
    const from = parentInRoot(tree.root, source.resolved);
    const to = parentInRoot(this.#dest, target);
    if (from === undefined || to === undefined) throw notDirectory(parentOf(target));
    using fromDir = from.dir;
    using toDir = to.dir;
    this.#keepTime(toDir, parentOf(target));
    const parent = { dir: toDir, fresh: false, defaults: new CreationDefaults() };
    const entry = { stat: source.stat, ...ownership(tree), target };
    this.#copyFile({ dir: fromDir, name: from.name }, { ...parent, name: to.name }, entry);
  }

  /** @throws E_PATH_TOO_LONG */
  #mergeEntry(places: Places, level: Level, name: string): void {
    const { tree, filter } = places.what;
    const path = join(level.path, name);
    const ignored = tree.excludes(path);
    if (ignored && tree.prunes(path)) return;
    const relative = join(level.relative, name);
    const look = filter.look(relative, level.state);
    if (look.prune) return;
    const dir = places.from.top;
    const stat = dir.stat(name);
    if (stat === undefined) return;
    const target = join(level.target, name);
    if (stat.type === "directory") {
      if (ignored && !hasShown(tree, dir, name, path)) return;
      checkPathLength(path);
      const own = { name, stat, included: look.included };
      const below = { path, relative, target, state: look.below, own };
      places.levels.push(levelOf(places.from.push(name), below));
      // One that is not chosen itself is made when something below it is.
      if (look.included) this.#open(places);
    } else if (!ignored && look.included) {
      if (stat.type === "file") this.#rules.onFile?.(relative, stat.size);
      const parent = this.#open(places);
      this.#copyFile({ dir, name }, { ...parent, name }, { stat, ...ownership(tree), target });
    }
  }

  /** Back to the directory above, where this one gets what it has beside its entries. */
  #leave({ what, from, to, levels }: Places): void {
    const level = levels.pop();
    if (level?.own === undefined) return;
    from.pop();
    // Nothing landed in it.
    if (to.depth <= from.depth) return;
    to.pop();
    const { name, stat, included } = level.own;
    if (!included) return;
    this.#setMetadata({ dir: from.top, name }, { dir: to.top, name }, { stat, owner: what.tree.owner });
    this.#times.set(level.target, this.#timeOf(stat));
  }

  /** The directory in the destination that the copy is in, made with those on the way to it. */
  #open(places: Places): Opened {
    const { to, levels } = places;
    for (let depth = to.depth + 1; depth < levels.length; depth++) this.#openTarget(places, depth);
    const { defaults = new CreationDefaults(), fresh = false } = levels.at(-1) ?? {};
    return { dir: to.top, fresh, defaults };
  }

  /** Goes into a directory of the destination, made when missing. One on the way to what was chosen gets only the mode. */
  #openTarget({ what, from, to, levels }: Places, depth: number): void {
    const [above, level] = [levels[depth - 1], levels[depth]];
    if (above === undefined || level?.own === undefined) return;
    const { name, stat, included } = level.own;
    const existing = above.fresh ? undefined : to.top.stat(name);
    if (existing !== undefined && existing.type !== "directory") throw notDirectory(level.target);
    level.fresh = existing === undefined;
    if (level.fresh) to.top.mkdir(name, 0o700);
    if (!included && !level.fresh) to.top.chmod(name, stat.mode);
    if (!included && level.fresh) {
      using dir = from.at(depth - 1);
      this.#setMetadata({ dir, name }, { dir: to.top, name }, { stat, owner: what.tree.owner });
      this.#times.set(level.target, this.#timeOf(stat));
    }
    const dir = to.push(name);
    if (!level.fresh) this.#keepTime(dir, level.target);
  }

  #copyFile(
    from: Entry,
    { dir, name, fresh, defaults }: Opened & { readonly name: string },
    entry: Ownership & { readonly stat: Stat; readonly target: string },
  ): void {
    const { stat, target } = entry;
    if (!fresh) makeRoom(dir, name, target);
    const link = stat.type === "file" && stat.nlink > 1 ? this.#firstLink(stat, target) : undefined;
    if (link !== undefined) return this.#hardlink(link, { dir, name });
    if (stat.type === "file") {
      const metadata = { ...this.#ownerOf(entry), mode: this.#modeOf(stat), mtime: this.#timeOf(stat) };
      const attributes = entry.owner === undefined;
      return copyFile({ ...from, size: stat.size, attributes }, { dir, name, defaults }, metadata);
    }
    if (stat.type === "symlink") dir.symlink(from.dir.readlink(from.name), name);
    else if (stat.type === "char" || stat.type === "block" || stat.type === "fifo") {
      dir.mknod(name, stat.type, stat.mode, stat.devmajor, stat.devminor);
    } else if (stat.type === "socket" && entry.socketsAsFiles) closeFd(dir.openFile(name, openFlags.createNew, 0o600));
    else return; // A socket means something only to the process that made it.
    this.#setMetadata(from, { dir, name }, entry);
    dir.utimens(name, this.#timeOf(stat));
  }

  /** Owner first: chown clears setuid bits and file capabilities. */
  #setMetadata(from: Entry, to: Entry, entry: { readonly stat: Stat; readonly owner: CopyRules["owner"] }): void {
    const { stat } = entry;
    const { uid, gid } = this.#ownerOf(entry);
    to.dir.chown(to.name, uid, gid);
    if (stat.type === "symlink") return;
    to.dir.chmod(to.name, this.#modeOf(stat));
    if (stat.type !== "directory" || entry.owner !== undefined) return;
    for (const key of from.dir.listxattr(from.name).filter(copiedXattr)) {
      const value = from.dir.getxattr(from.name, key);
      if (value !== undefined) to.dir.setxattr(to.name, key, value);
    }
  }

  #ownerOf(entry: { readonly stat: Stat; readonly owner: CopyRules["owner"] }): { uid: number; gid: number } {
    const { uid, gid } = this.#rules.owner ?? entry.owner ?? entry.stat;
    return { uid, gid };
  }

  #modeOf(stat: Stat): number {
    const { mode } = this.#rules;
    return mode === undefined ? stat.mode : mode(stat.mode, stat.type === "directory");
  }

  #timeOf({ mtime }: Stat): bigint {
    return this.#rules.time ?? mtime;
  }

  #firstLink(stat: Stat, target: string): string | undefined {
    const inode = `${stat.dev}:${stat.ino}`;
    const first = this.#links.get(inode);
    if (first === undefined) this.#links.set(inode, target);
    return first;
  }

  #hardlink(first: string, to: Entry): void {
    const found = parentInRoot(this.#dest, first);
    if (found === undefined) throw notDirectory(parentOf(first));
    using dir = found.dir;
    to.dir.link(dir, found.name, to.name);
  }

  async #breathe(): Promise<void> {
    this.#rules.signal.throwIfAborted();
    const { promise, resolve } = Promise.withResolvers<void>();
    setImmediate(resolve);
    await promise;
    this.#sliceStart = monotonic();
  }
}

function levelOf(dir: Dir, level: Omit<Level, "names" | "defaults" | "fresh">): Level {
  return { ...level, names: namesOf(dir), defaults: new CreationDefaults(), fresh: false };
}

function ownership({ owner, socketsAsFiles }: SourceTree): Ownership {
  return { owner, socketsAsFiles };
}
