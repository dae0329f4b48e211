import { DirStack } from "./dir-stack.ts";
import type { Dir, Stat } from "./path.ts";

/** An entry of a tree, and the open directory that it is in. */
export interface WalkedEntry {
  readonly dir: Dir;
  readonly name: string;
  readonly stat: Stat;
}

/**
 * Every entry below a directory, parents first, however deep; symlinks are not followed. An entry is valid until the next
 * one is asked for, and may be removed meanwhile.
 */
export function* walkBelow(start: Dir): Generator<WalkedEntry, undefined> {
  using dirs = new DirStack(start);
  const levels: string[][] = [start.names()];
  for (let names = levels.at(-1); names !== undefined; names = levels.at(-1)) {
    const name = names.pop();
    if (name === undefined) {
      levels.pop();
      if (levels.length > 0) dirs.pop();
      continue;
    }
    const dir = dirs.top;
    const stat = dir.stat(name);
    if (stat === undefined) continue;
    yield { dir, name, stat };
    if (stat.type === "directory" && dir.stat(name) !== undefined) levels.push(dirs.push(name).names());
  }
}
