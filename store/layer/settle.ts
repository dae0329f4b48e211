import type { Dir, Root } from "../../native/path.ts";
import { findBelow, openBelow, type Found } from "./below.ts";
import { isOpaque, isOverlayXattr, isWhiteout, opaqueXattr } from "./whiteout.ts";

/** What of an unpacked layer only those below it can tell. Paths in the order of the archive. */
export interface Unsettled {
  /** Directories that no entry is about. */
  readonly implied: readonly string[];
  readonly whiteouts: readonly string[];
  /** Whether nothing that is below shows. */
  readonly opaqueRoot: boolean;
}

/**
 * Ends the making of a layer directory that was unpacked by itself, over the directories below it (topmost first).
 * A directory that no entry is about becomes what it is there: owner, mode, time and attributes. What hides nothing goes:
 * overlayfs would list it as a file that cannot be opened. It knows no opaque root, so that each name is hidden.
 */
export function settleLayer(root: Root, below: readonly Dir[], { implied, whiteouts, opaqueRoot }: Unsettled): void {
  if (opaqueRoot) hideAll(root, below);
  using stacks = new Stacks(root, opaqueRoot ? [] : below);
  for (const path of implied) {
    const { dir, found } = stacks.look(path);
    if (found?.stat.type === "directory" && dir?.stat(found.name)?.type === "directory") copyMetadata(found, dir);
  }
  for (const path of whiteouts) {
    const { dir, name, found } = stacks.look(path);
    const stat = found === undefined ? dir?.stat(name) : undefined;
    if (dir !== undefined && stat !== undefined && isWhiteout(stat)) removeKeepingTime(dir, name);
  }
}

function hideAll(root: Root, below: readonly Dir[]): void {
  for (const name of new Set(below.flatMap((dir) => dir.names()))) {
    if (findBelow(below, name) === undefined) continue;
    const stat = root.stat(name);
    if (stat === undefined) root.mknod(name, "char", 0, 0, 0);
    else if (stat.type === "directory") root.setxattr(name, opaqueXattr(), Buffer.from("y"));
  }
}

/** Nothing else is told of the directory: it must not seem newer for it. */
function removeKeepingTime(dir: Dir, name: string): void {
  const { mtime } = dir.statSelf();
  dir.unlink(name);
  dir.utimens(".", mtime);
}

function copyMetadata({ dir: from, name, stat }: Found, to: Dir): void {
  to.chown(name, stat.uid, stat.gid);
  to.chmod(name, stat.mode);
  for (const key of from.listxattr(name)) {
    const value = isOverlayXattr(key) ? undefined : from.getxattr(name, key);
    if (value !== undefined) to.setxattr(name, key, value);
  }
  to.utimens(name, stat.mtime);
}

/** Open directories of the layer with those below that they lie over; the last parent is kept. */
class Stacks implements Disposable {
  readonly #root: Root;
  readonly #below: readonly Dir[];
  #open = new DisposableStack();
  #parent: string | undefined;
  #dir: Dir | undefined;
  #shown: readonly Dir[] = [];

  constructor(root: Root, below: readonly Dir[]) {
    this.#root = root;
    this.#below = below;
  }

  /** The layer's directory of the path, if it still is one, and what the layers below show at the path. */
  look(path: string): { readonly dir: Dir | undefined; readonly name: string; readonly found: Found | undefined } {
    const at = path.lastIndexOf("/");
    const name = path.slice(at + 1);
    this.#enter(path.slice(0, Math.max(0, at)));
    return { dir: this.#dir, name, found: findBelow(this.#shown, name) };
  }

  #enter(parent: string): void {
    if (this.#parent === parent) return;
    this.#open.dispose();
    this.#open = new DisposableStack();
    this.#parent = parent;
    this.#shown = this.#below;
    this.#dir = this.#open.use(this.#root.openDir("."));
    for (const part of parent === "" ? [] : parent.split("/")) {
      if (this.#dir?.stat(part)?.type !== "directory") {
        this.#dir = undefined;
        this.#shown = [];
        return;
      }
      this.#shown = isOpaque(this.#dir, part) ? [] : openBelow(this.#shown, part, this.#open);
      this.#dir = this.#open.use(this.#dir.openDir(part));
    }
  }

  [Symbol.dispose](): void {
    this.#open.dispose();
  }
}
