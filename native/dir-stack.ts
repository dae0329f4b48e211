import { SyscallError } from "./errors.ts";
import type { Dir } from "./path.ts";

/** So many directories stay open at most, and half of them are opened at once on the way back. */
const kept = 64;
/** Characters of a path that one system call takes, whatever their bytes. */
const longest = 4095 / 3;

/**
 * The directories on the way down a tree, no symlink among them. Only the last ones stay open, those above are opened
 * again on the way back: no depth takes more descriptors, or more than its own time.
 */
export class DirStack implements Disposable {
  readonly #names: string[] = [];
  /** By depth. The first is the start, which stays the caller's. */
  readonly #dirs: (Dir | undefined)[];

  constructor(start: Dir) {
    this.#dirs = [start];
  }

  /** How many directories it is below the start. */
  get depth(): number {
    return this.#names.length;
  }

  /** The directory where it is; valid until the next push() or pop(). */
  get top(): Dir {
    return this.#dirs[this.depth] ?? this.#reopen();
  }

  /** Goes down into a directory. @throws SyscallError */
  push(name: string): Dir {
    const dir = this.top.openDir(name);
    this.#names.push(name);
    this.#dirs.push(dir);
    const far = this.depth - kept;
    if (far > 0) this.#close(far);
    return dir;
  }

  /** The directory at a depth down to here, with a descriptor of its own. */
  at(depth: number): Dir {
    const from = this.#dirs.findLastIndex((dir, at) => dir !== undefined && at <= depth);
    const dir = this.#open(from, depth);
    return dir === this.#dirs[from] ? dir.openDir(".") : dir;
  }

  /** Goes back up. */
  pop(): void {
    this.#close(this.depth);
    this.#dirs.pop();
    this.#names.pop();
  }

  [Symbol.dispose](): void {
    while (this.depth > 0) this.pop();
  }

  #close(depth: number): void {
    this.#dirs[depth]?.[Symbol.dispose]();
    this.#dirs[depth] = undefined;
  }

  #reopen(): Dir {
    const { depth } = this;
    const from = this.#dirs.findLastIndex((dir) => dir !== undefined);
    const start = Math.max(from, depth - kept / 2);
    let dir = this.#open(from, start);
    for (let at = start; at <= depth; at++) {
      if (at > start) dir = dir.openDir(this.#names[at - 1] ?? "");
      this.#dirs[at] = dir;
    }
    return dir;
  }

  /** The directory at a depth, by as few calls as its path takes. */
  #open(from: number, to: number): Dir {
    let [dir, at] = [this.#dirs[from], from];
    while (dir !== undefined && at < to) {
      const names: string[] = [];
      let length = 0;
      for (; at < to && (length === 0 || length + (this.#names[at]?.length ?? 0) < longest); at++) {
        const name = this.#names[at] ?? "";
        names.push(name);
        length += name.length + 1;
      }
      const next = dir.straight(names.join("/"));
      if (dir !== this.#dirs[from]) dir[Symbol.dispose]();
      dir = next;
    }
    if (dir === undefined) throw new SyscallError("openat2", "ENOENT", this.#names.at(to - 1));
    return dir;
  }
}
