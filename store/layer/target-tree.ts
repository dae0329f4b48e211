import { DirStack } from "../../native/dir-stack.ts";
import { SyscallError, TsbuildError } from "../../native/errors.ts";
import { CreationDefaults } from "../../native/new-file.ts";
import type { Dir, Root, Stat } from "../../native/path.ts";
import type { Parent } from "./entry-file.ts";
import { Place } from "./place.ts";
import type { SettleStep } from "./settle.ts";
import { Way } from "./way.ts";
import { isOpaque, opaqueXattr } from "./whiteout.ts";

/** How the tree takes entries: see ApplyOptions. */
export interface TreeOptions {
  readonly form: "overlay" | "literal";
  /** Owner of directories that no entry is about. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  /** Modification time (ns) of directories that no entry is about; default 0. */
  readonly createdTime?: bigint;
}

/** The open directory of an entry, and where it is. */
export interface OpenPlace extends Parent {
  readonly place: Place;
}

/**
 * The directories that an archive's entries land in. Symlinks on the way are followed inside the root. In a layer what
 * is missing is made, behind a symlink too, and a file on the way makes room; an archive's entry is refused for both.
 */
export class TargetTree implements Disposable {
  readonly #root: Root;
  readonly #options: TreeOptions;
  readonly #top = new Place();
  /** The last parent, as the archive wrote it: the next entry is nearly always in the same. */
  #parent: (OpenPlace & { readonly written: string }) | undefined;

  constructor(root: Root, options: TreeOptions) {
    this.#root = root;
    this.#options = options;
  }

  /** The open parent directory of an entry, `written` in one, made with its own parents where missing. @throws E_LAYER_ENTRY */
  parent(parts: readonly string[], written: string): OpenPlace {
    if (this.#parent?.written === written) return this.#parent;
    this.#closeParent();
    const straight = this.#root.straight(written);
    const { dir, place } =
      straight === undefined ? this.#walk(parts) : { dir: straight, place: parts.reduce(enter, this.#top) };
    this.#keepTime(dir, place);
    this.#parent = { written, dir, place, defaults: new CreationDefaults() };
    return this.#parent;
  }

  /** The directory of these names, which the caller disposes; undefined where there is none. */
  find(parts: readonly string[]): Dir | undefined {
    try {
      return this.#root.dir(parts.join("/"));
    } catch (error) {
      if (error instanceof SyscallError && ["ENOENT", "ENOTDIR", "ELOOP"].includes(error.errno)) return undefined;
      throw error;
    }
  }

  /** What settleLayer() has to do. */
  unsettled(): readonly SettleStep[] {
    return this.#top.unsettled();
  }

  /** Makes a directory where none is. What it takes the place of hid what the layers below have there: so does it. */
  makeDirectory(parent: Pick<OpenPlace, "dir" | "place">, name: string, existing: Stat | undefined): Place {
    const { dir, place } = parent;
    if (existing?.type === "directory") return place.enter(name);
    if (existing !== undefined) this.remove(parent, name);
    dir.mkdir(name, 0o700);
    if (existing !== undefined && this.#options.form === "overlay") this.hideBelow(dir, name);
    return place.enter(name);
  }

  /** Hides what the layers below have in a directory. */
  hideBelow(dir: Dir, name: string): void {
    if (isOpaque(dir, name)) return;
    dir.setxattr(name, opaqueXattr(), Buffer.from("y"));
  }

  /** Removes what is under a name, whatever it is. It may have been a symlink that entries came by: none is known again. */
  remove({ dir, place }: Pick<OpenPlace, "dir" | "place">, name: string): void {
    dir.removeTree(name);
    place.forget(name);
    if (this.#parent !== undefined) this.#parent = { ...this.#parent, written: "\0" };
  }

  /** Sets the times of directories; to be called once, after the last entry. */
  finish(): void {
    this.#closeParent();
    using dirs = new DirStack(this.#root);
    for (const { place, depth } of this.#top.walk()) {
      while (depth > 0 && dirs.depth >= depth) dirs.pop();
      if (depth > 0) dirs.push(place.name);
      if (place.time !== undefined) dirs.top.utimens(".", place.time);
    }
  }

  [Symbol.dispose](): void {
    this.#closeParent();
  }

  #closeParent(): void {
    this.#parent?.dir[Symbol.dispose]();
    this.#parent = undefined;
  }

  /** One that was there before an archive's entries keeps its time, whatever is put into it. */
  #keepTime(dir: Dir, place: Place): void {
    if (this.#options.form === "literal") place.time ??= dir.statSelf().mtime;
  }

  /** Goes the way to a directory name by name, and makes what is missing. @throws E_LAYER_ENTRY */
  #walk(parts: readonly string[]): { readonly dir: Dir; readonly place: Place } {
    using way = Way.find(this.#root, parts);
    if (way === undefined) throw refused(parts.join("/"), "its parent has too many symbolic links");
    let place = way.names.reduce(enter, this.#top);
    const { dirs, missing } = way;
    if (missing.length > 0) this.#keepTime(dirs.top, place);
    for (const name of missing) {
      const existing = dirs.top.stat(name);
      if (this.#options.form === "literal" && (way.dangling || existing !== undefined))
        throw refused(parts.join("/"), "its parent is not a directory");
      place = this.#makeMissing({ dir: dirs.top, place }, name, existing);
      dirs.push(name);
    }
    return { dir: way.open(), place };
  }

  /** Makes a directory that no entry was about yet: root's, 0755. */
  #makeMissing(parent: Pick<OpenPlace, "dir" | "place">, name: string, existing: Stat | undefined): Place {
    const { owner = { uid: 0, gid: 0 }, createdTime = 0n } = this.#options;
    const place = this.makeDirectory(parent, name, existing);
    parent.dir.chown(name, owner.uid, owner.gid);
    parent.dir.chmod(name, 0o755);
    place.time = createdTime;
    place.implied = existing === undefined;
    return place;
  }
}

function enter(place: Place, name: string): Place {
  return place.enter(name);
}

/** The error for an entry that cannot be meant well. */
export function refused(path: string, why: string): TsbuildError {
  return new TsbuildError(`Cannot unpack /${path.slice(0, 1000).replace(/^\/+/, "")}: ${why}`, {
    code: "E_LAYER_ENTRY",
  });
}
