import { Root, type Dir, type Stat } from "../../native/path.ts";
import { isOpaque, isWhiteout } from "./whiteout.ts";

/** An entry and the open directory that it is in. */
export interface Found {
  readonly dir: Dir;
  readonly name: string;
  readonly stat: Stat;
}

/** Directories that are opened as one comes to them: most names are found in the first. */
export class LazyDirs implements Iterable<Dir>, Disposable {
  readonly #paths: readonly string[];
  readonly #opened: Root[] = [];

  constructor(paths: readonly string[]) {
    this.#paths = paths;
  }

  *[Symbol.iterator](): Iterator<Dir> {
    for (const [at, path] of this.#paths.entries()) yield (this.#opened[at] ??= Root.open(path));
  }

  [Symbol.dispose](): void {
    for (const root of this.#opened) root[Symbol.dispose]();
  }
}

/** What a stack of directories (topmost first) shows under a name; undefined where nothing is or a whiteout. */
export function findBelow(below: Iterable<Dir>, name: string): Found | undefined {
  for (const dir of below) {
    const stat = dir.stat(name);
    if (stat !== undefined) return isWhiteout(stat) ? undefined : { dir, name, stat };
  }
  return undefined;
}

/** The directories that make up what is shown under a name: down to an opaque one or to what is none. */
export function openBelow(below: Iterable<Dir>, name: string, stack: DisposableStack): readonly Dir[] {
  const found: Dir[] = [];
  for (const dir of below) {
    const stat = dir.stat(name);
    if (stat === undefined) continue;
    if (stat.type !== "directory") break;
    found.push(stack.use(dir.openDir(name)));
    if (isOpaque(dir, name)) break;
  }
  return found;
}
