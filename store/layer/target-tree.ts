import { SyscallError, TsbuildError } from "../../native/errors.ts";
import { CreationDefaults } from "../../native/new-file.ts";
import type { Dir, Root, Stat } from "../../native/path.ts";
import type { Parent } from "./entry-file.ts";
import { isOpaque, opaqueXattr } from "./whiteout.ts";

/** How the tree takes entries: see ApplyOptions. */
export interface TreeOptions {
  readonly form: "overlay" | "literal";
  /** Owner of directories that no entry is about. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  /** Modification time (ns) of directories that no entry is about; default 0. */
  readonly createdTime?: bigint;
}

/**
 * The directories that an archive's entries land in. In an overlay layer no symlink is followed: a file or symlink on
 * the way to an entry makes room, as it would over a lower layer. Otherwise they are followed inside the root.
 */
export class TargetTree implements Disposable {
  readonly #root: Root;
  readonly #options: TreeOptions;
  /** The last parent: the next entry is nearly always in the same. */
  #parent: (Parent & { readonly path: string }) | undefined;
  /** Times of directories: set at the end, for their content changes them. */
  readonly #times = new Map<string, bigint>();
  /** Directories of a layer that no entry is about, and that took no other entry's place. */
  readonly #implied = new Set<string>();

  constructor(root: Root, options: TreeOptions) {
    this.#root = root;
    this.#options = options;
  }

  /** The open parent directory of an entry, `path` in one, made with its own parents where missing. @throws E_LAYER_ENTRY */
  parent(parts: readonly string[], path: string): Parent {
    if (this.#parent?.path === path) return this.#parent;
    this.closeParent();
    const dir = this.#options.form === "literal" ? this.#makeFollowing(parts) : this.#make(parts);
    if (dir === undefined) throw refused(path, "its parent is no directory");
    const parent = { path, dir, defaults: new CreationDefaults() };
    this.#parent = parent;
    return parent;
  }

  /** The directory of these names, which the caller disposes; undefined where there is none. */
  find(parts: readonly string[]): Dir | undefined {
    const path = parts.join("/");
    return this.#options.form === "literal" ? tryDir(this.#root, path) : this.#root.straight(path);
  }

  /** Directories that were made for what is in them. */
  get implied(): readonly string[] {
    return [...this.#implied];
  }

  /** Tells that an entry is about the directory, or hides what the layers below have in its place. */
  explain(path: string): void {
    this.#implied.delete(path);
  }

  /** Makes a directory where none is. What it takes the place of hid what the layers below have there: so does it. */
  makeDirectory(dir: Dir, name: string, existing: Stat | undefined): void {
    if (existing?.type === "directory") return;
    if (existing !== undefined) dir.unlink(name);
    dir.mkdir(name, 0o700);
    if (existing !== undefined && this.#options.form === "overlay") this.hideBelow(dir, name);
  }

  /** Hides what the layers below have in a directory. */
  hideBelow(dir: Dir, name: string): void {
    if (isOpaque(dir, name)) return;
    dir.setxattr(name, opaqueXattr(), Buffer.from("y"));
  }

  /** Removes what is at a path, whatever it is. */
  remove(dir: Dir, name: string, path: string): void {
    if (this.#parent !== undefined && `${this.#parent.path}/`.startsWith(`${path}/`)) this.closeParent();
    dir.removeTree(name);
  }

  /** Sets the time a directory gets in the end. */
  setTime(path: string, time: bigint): void {
    this.#times.set(path, time);
  }

  /** Sets the times of directories; to be called once, after the last entry. */
  finish(): void {
    this.closeParent();
    for (const [path, time] of [...this.#times].toReversed()) {
      // A later entry may have taken the directory away again.
      using dir = this.find(path === "" ? [] : path.split("/"));
      dir?.utimens(".", time);
    }
  }

  /** To be called before the parent itself is changed. */
  closeParent(): void {
    this.#parent?.dir[Symbol.dispose]();
    this.#parent = undefined;
  }

  [Symbol.dispose](): void {
    this.closeParent();
  }

  #make(parts: readonly string[]): Dir {
    return this.#root.straight(parts.join("/")) ?? this.#makeMissing(parts);
  }

  #makeMissing(parts: readonly string[]): Dir {
    let at: Dir = this.#root.openDir(".");
    for (const [depth, part] of parts.entries()) {
      const existing = at.stat(part);
      if (existing?.type !== "directory") {
        const path = parts.slice(0, depth + 1).join("/");
        this.makeDirectory(at, part, existing);
        this.#finishMissing(at, part, path);
        if (existing === undefined) this.#implied.add(path);
        else this.#implied.delete(path);
      }
      const next = at.openDir(part);
      at[Symbol.dispose]();
      at = next;
    }
    return at;
  }

  #makeFollowing(parts: readonly string[]): Dir | undefined {
    for (let count = parts.length; count >= 0; count--) {
      const path = parts.slice(0, count).join("/");
      const found = tryDir(this.#root, path);
      if (found === undefined) continue;
      // One that was there before keeps its time, whatever is put into it.
      if (!this.#times.has(path)) this.#times.set(path, found.statSelf().mtime);
      return this.#makeBelow(found, parts, count);
    }
    return undefined;
  }

  #makeBelow(start: Dir, parts: readonly string[], from: number): Dir | undefined {
    let at = start;
    for (let depth = from; depth < parts.length; depth++) {
      const part = parts[depth] ?? "";
      const free = at.stat(part) === undefined;
      if (free) {
        at.mkdir(part, 0o700);
        this.#finishMissing(at, part, parts.slice(0, depth + 1).join("/"));
      }
      const next = free ? at.openDir(part) : undefined;
      at[Symbol.dispose]();
      if (next === undefined) return undefined;
      at = next;
    }
    return at;
  }

  /** Metadata of a directory that no entry was about yet: root's, 0755. */
  #finishMissing(dir: Dir, name: string, path: string): void {
    const { owner = { uid: 0, gid: 0 }, createdTime = 0n } = this.#options;
    dir.chown(name, owner.uid, owner.gid);
    dir.chmod(name, 0o755);
    this.#times.set(path, createdTime);
  }
}

function tryDir(root: Root, path: string): Dir | undefined {
  try {
    return root.dir(path);
  } catch (error) {
    if (error instanceof SyscallError && (error.errno === "ENOENT" || error.errno === "ENOTDIR")) return undefined;
    throw error;
  }
}

/** The error for an entry that cannot be meant well. */
export function refused(path: string, why: string): TsbuildError {
  return new TsbuildError(`Cannot unpack /${path.slice(0, 1000).replace(/^\/+/, "")}: ${why}`, {
    code: "E_LAYER_ENTRY",
  });
}
