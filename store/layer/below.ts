import { DirStack } from "../../native/dir-stack.ts";
import { Root, type Dir, type Stat } from "../../native/path.ts";
import { isOpaque, isWhiteout } from "./whiteout.ts";

/** An entry and the open directory that it is in. */
export interface Found {
  readonly dir: Dir;
  readonly name: string;
  readonly stat: Stat;
}

/**
 * What a stack of directories (topmost first) has at the place of a walk. Each is opened when one comes to it: most names
 * are found in the first.
 */
export class Below implements Iterable<Dir>, Disposable {
  readonly #starts: readonly (() => Dir)[];
  readonly #opened = new DisposableStack();
  readonly #stacks: DirStack[] = [];
  /** Which of them have the directory, for each on the way. */
  readonly #levels: (readonly number[])[];

  private constructor(starts: readonly (() => Dir)[]) {
    this.#starts = starts;
    this.#levels = [[...starts.keys()]];
  }

  /** Of directories that stay the caller's. */
  static of(dirs: readonly Dir[]): Below {
    return new Below(dirs.map((dir) => () => dir));
  }

  /** Of directories of the host. */
  static open(paths: readonly string[]): Below {
    const below = new Below(paths.map((path) => () => below.#opened.use(Root.open(path))));
    return below;
  }

  /** The directories that make up what is shown here. */
  *[Symbol.iterator](): Iterator<Dir> {
    for (const at of this.#here) yield this.#stack(at).top;
  }

  get empty(): boolean {
    return this.#here.length === 0;
  }

  /** What is shown under a name; undefined where nothing is or a whiteout. */
  find(name: string): Found | undefined {
    for (const dir of this) {
      const stat = dir.stat(name);
      if (stat !== undefined) return isWhiteout(stat) ? undefined : { dir, name, stat };
    }
    return undefined;
  }

  /**
   * Goes into the directories that make up what is shown under a name: down to an opaque one or to what is none.
   * Whether one of them hides what is below them all.
   */
  enter(name: string): boolean {
    const found: number[] = [];
    const hides = this.#enter(name, found);
    this.#levels.push(found);
    return hides;
  }

  /** Goes where nothing is shown. */
  enterNothing(): void {
    this.#levels.push([]);
  }

  /** Goes back up. */
  leave(): void {
    for (const at of this.#levels.pop() ?? []) this.#stack(at).pop();
  }

  [Symbol.dispose](): void {
    this.#opened.dispose();
  }

  get #here(): readonly number[] {
    return this.#levels.at(-1) ?? [];
  }

  #enter(name: string, found: number[]): boolean {
    for (const at of this.#here) {
      const stack = this.#stack(at);
      const stat = stack.top.stat(name);
      if (stat === undefined) continue;
      if (stat.type !== "directory") return true;
      const opaque = isOpaque(stack.top, name);
      stack.push(name);
      found.push(at);
      if (opaque) return true;
    }
    return false;
  }

  #stack(at: number): DirStack {
    const start = this.#starts[at];
    if (start === undefined) throw new RangeError(`no directory ${at}`);
    return (this.#stacks[at] ??= this.#opened.use(new DirStack(start())));
  }
}
