import { DirStack } from "../../native/dir-stack.ts";
import type { Dir, Root } from "../../native/path.ts";

/** As many symlinks as the kernel follows on one way, and names that are looked at. @see path_resolution(7) */
const maxLinks = 40;
const maxNames = 4096;

/**
 * The way to a directory, name by name, with symlinks followed inside the root: absolute ones and `..` stay in it. What
 * is missing on it, or is no directory, is kept as a name.
 */
export class Way implements Disposable {
  readonly dirs: DirStack;
  /** The names of the directories that are there, and of those that are not. */
  readonly names: string[] = [];
  readonly missing: string[] = [];
  /** Whether a symlink leads to what is missing. */
  dangling = false;
  #links = 0;

  private constructor(root: Root) {
    this.dirs = new DirStack(root);
  }

  /** undefined: there are too many symlinks, or they lead nowhere. */
  static find(root: Root, parts: readonly string[]): Way | undefined {
    const way = new Way(root);
    if (way.#go(parts)) return way;
    way[Symbol.dispose]();
    return undefined;
  }

  /** A descriptor of its own for the directory that was reached. */
  open(): Dir {
    return this.dirs.top.openDir(".");
  }

  [Symbol.dispose](): void {
    this.dirs[Symbol.dispose]();
  }

  #go(parts: readonly string[]): boolean {
    const rest = parts.toReversed();
    // Those of a symlink's target come before the path's own.
    let linked = 0;
    for (let count = 0; count < maxNames; count++) {
      const name = rest.pop();
      if (name === undefined) return true;
      const target = this.#enter(name, linked > 0);
      linked = Math.max(0, linked - 1);
      if (target === undefined) continue;
      if (++this.#links > maxLinks) return false;
      const names = target.split("/").toReversed();
      if (target.startsWith("/")) this.#up(Infinity);
      rest.push(...names);
      linked += names.length;
    }
    return false;
  }

  /** Where the name leads if it is a symlink. */
  #enter(name: string, linked: boolean): string | undefined {
    if (name === "" || name === ".") return undefined;
    if (name === "..") return this.#up(1);
    const type = this.missing.length > 0 ? undefined : this.dirs.top.stat(name)?.type;
    if (type === "symlink") return this.dirs.top.readlink(name);
    if (type === "directory") {
      this.dirs.push(name);
      this.names.push(name);
    } else {
      this.missing.push(name);
      this.dangling ||= linked;
    }
    return undefined;
  }

  #up(levels: number): undefined {
    for (let left = levels; left > 0 && (this.missing.pop() ?? this.names.pop()) !== undefined; left--)
      while (this.dirs.depth > this.names.length) this.dirs.pop();
  }
}
