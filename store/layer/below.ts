import type { Dir, Stat } from "../../native/path.ts";
import { isOpaque, isWhiteout } from "./whiteout.ts";

/** An entry and the open directory that it is in. */
export interface Found {
  readonly dir: Dir;
  readonly name: string;
  readonly stat: Stat;
}

/** What a stack of directories (topmost first) shows under a name; undefined where nothing is or a whiteout. */
export function findBelow(below: readonly Dir[], name: string): Found | undefined {
  for (const dir of below) {
    const stat = dir.stat(name);
    if (stat !== undefined) return isWhiteout(stat) ? undefined : { dir, name, stat };
  }
  return undefined;
}

/** The directories that make up what is shown under a name: down to an opaque one or to what is none. */
export function openBelow(below: readonly Dir[], name: string, stack: DisposableStack): readonly Dir[] {
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
