import { basename, dirname } from "node:path/posix";
import type { ModeChange } from "../../dockerfile/file-mode.ts";
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
import type { SourceFile } from "./readers.ts";
import type { Source } from "./sources.ts";
import { TargetDir, type Opened } from "./target-dir.ts";
import { byteOrder, hasShown, type SourceTree } from "./tree.ts";
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
  readonly signal: AbortSignal;
  /** Told of each file that is copied, by its path below the source. */
  readonly onFile?: ((relative: string, size: number) => void) | undefined;
}

interface Entry {
  readonly dir: Dir;
  readonly name: string;
}

/** What is read: a tree, and what of it. */
interface Chosen {
  readonly tree: SourceTree;
  readonly filter: CopyFilter;
}

/** What a tree says of all that is in it. */
type Ownership = Pick<SourceTree, "owner" | "socketsAsFiles">;

/** A directory and where its entries go. `path` is from the tree's root, `relative` from the source. */
interface Merge {
  readonly from: Dir;
  readonly to: TargetDir;
  readonly path: string;
  readonly relative: string;
  readonly target: string;
  readonly state: FilterState | undefined;
}

/** An entry of `from` that is a directory; `included` false: on the way to what may be chosen. */
interface SourceDirectory {
  readonly name: string;
  readonly stat: Stat;
  readonly included: boolean;
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

  async #mergeRoot(what: Chosen, source: Source, target: string): Promise<void> {
    if (statInRoot(this.#dest, target)?.type !== "directory") throw notDirectory(target);
    using from = what.tree.root.dir(source.resolved);
    using to = new TargetDir(() => ({ dir: this.#dest.dir(target), fresh: false }));
    this.#keepTime(to.open().dir, target);
    await this.#merge(what, { from, to, path: source.resolved, target, relative: "", state: undefined });
  }

  #copySingle(tree: SourceTree, source: Source, target: string): void {
    const from = parentInRoot(tree.root, source.resolved);
    const to = parentInRoot(this.#dest, target);
    if (from === undefined || to === undefined) throw notDirectory(parentOf(target));
    using fromDir = from.dir;
    using toDir = new TargetDir(() => ({ dir: to.dir, fresh: false }));
    this.#keepTime(toDir.open().dir, parentOf(target));
    this.#copyFile(
      { dir: fromDir, name: from.name },
      { to: toDir, name: to.name },
      { stat: source.stat, ...ownership(tree), target },
    );
  }

  /** Copies the entries of one directory into another, in byte order. */
  async #merge(what: Chosen, at: Merge): Promise<void> {
    const { tree, filter } = what;
    for (const name of at.from.names().toSorted(byteOrder)) {
      const path = join(at.path, name);
      const ignored = tree.excludes(path);
      if (ignored && tree.prunes(path)) continue;
      const relative = join(at.relative, name);
      const look = filter.look(relative, at.state);
      if (look.prune) continue;
      const stat = at.from.stat(name);
      if (stat === undefined) continue;
      if (monotonic() - this.#sliceStart > sliceTime) await this.#breathe();
      const target = join(at.target, name);
      if (stat.type === "directory") {
        if (ignored && !hasShown(tree, at.from, name, path)) continue;
        const { included, below: state } = look;
        await this.#copyDirectory(what, { ...at, path, target, relative, state, name, stat, included });
      } else if (!ignored && look.included) {
        if (stat.type === "file") this.#rules.onFile?.(relative, stat.size);
        this.#copyFile({ dir: at.from, name }, { to: at.to, name }, { stat, ...ownership(tree), target });
      }
    }
  }

  async #copyDirectory(what: Chosen, at: Merge & SourceDirectory): Promise<void> {
    const { from, to, name, included } = at;
    // One that is not chosen itself is made when something below it is.
    using made = new TargetDir(() => this.#openTarget(what, at));
    if (included) made.open();
    {
      using sub = from.openDir(name);
      await this.#merge(what, { ...at, from: sub, to: made });
    }
    if (!included) return;
    this.#setMetadata({ dir: from, name }, { dir: to.open().dir, name }, { stat: at.stat, owner: what.tree.owner });
    this.#times.set(at.target, at.stat.mtime);
  }

  /** The directory in the destination, made when missing. One on the way to what was chosen gets only the mode. */
  #openTarget({ tree }: Chosen, at: Merge & SourceDirectory): Opened {
    const { from, name, stat, target, included } = at;
    const { dir: to, fresh } = at.to.open();
    const existing = fresh ? undefined : to.stat(name);
    if (existing !== undefined && existing.type !== "directory") throw notDirectory(target);
    if (existing === undefined) to.mkdir(name, 0o700);
    if (!included && existing !== undefined) to.chmod(name, stat.mode);
    if (!included && existing === undefined) {
      this.#setMetadata({ dir: from, name }, { dir: to, name }, { stat, owner: tree.owner });
      this.#times.set(target, stat.mtime);
    }
    const dir = to.openDir(name);
    if (existing !== undefined) this.#keepTime(dir, target);
    return { dir, fresh: existing === undefined };
  }

  #copyFile(
    from: Entry,
    { to, name }: { readonly to: TargetDir; readonly name: string },
    entry: Ownership & { readonly stat: Stat; readonly target: string },
  ): void {
    const { stat, target } = entry;
    const { dir, fresh } = to.open();
    if (!fresh) makeRoom(dir, name, target);
    const link = stat.type === "file" && stat.nlink > 1 ? this.#firstLink(stat, target) : undefined;
    if (link !== undefined) return this.#hardlink(link, { dir, name });
    if (stat.type === "file") {
      const metadata = { ...this.#ownerOf(entry), mode: this.#modeOf(stat), mtime: stat.mtime };
      const attributes = entry.owner === undefined;
      return copyFile({ ...from, size: stat.size, attributes }, { dir, name, defaults: to.defaults }, metadata);
    }
    if (stat.type === "symlink") dir.symlink(from.dir.readlink(from.name), name);
    else if (stat.type === "char" || stat.type === "block" || stat.type === "fifo") {
      dir.mknod(name, stat.type, stat.mode, stat.devmajor, stat.devminor);
    } else if (stat.type === "socket" && entry.socketsAsFiles) closeFd(dir.openFile(name, openFlags.createNew, 0o600));
    else return; // A socket means something only to the process that made it.
    this.#setMetadata(from, { dir, name }, entry);
    dir.utimens(name, stat.mtime);
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

function ownership({ owner, socketsAsFiles }: SourceTree): Ownership {
  return { owner, socketsAsFiles };
}
