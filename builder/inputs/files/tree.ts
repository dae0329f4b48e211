import type { Dir, Root, Stat } from "../../../native/path.ts";
import type { Digest } from "../../../store/oci/digest.ts";
import { DirStack } from "../../../native/dir-stack.ts";
import { checkPathLength } from "../../../native/pathname.ts";
import { noFilter, type CopyFilter, type FilterResult, type FilterState } from "./filter.ts";

/** What COPY reads from: the build context, or the file system of a stage or image. */
export interface SourceTree extends Disposable {
  readonly root: Root;
  /** What a message calls it: `the build context`, `stage build`. */
  readonly name: string;
  /**
   * The owner that everything has, whatever the disk says: as with BuildKit, nothing of a directory of the host has
   * extended attributes then either. undefined: as on disk.
   */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  /** Whether a socket is copied as an empty file, as BuildKit sends the build context; otherwise it is left out. */
  readonly socketsAsFiles: boolean;
  /** Whether an ignore file hides the path (no leading slash). */
  excludes(path: string): boolean;
  /** Whether everything below a hidden directory is hidden too, so that it need not be walked. */
  prunes(path: string): boolean;
  /** The ignore file's line that hides the path, for messages. */
  whyExcluded(path: string): string | undefined;
  /** Advice for who names what is not there. */
  readonly whereToLook?: string;
  /** Names the ignore file and its state, to explain why files came or went. */
  readonly ignoreFile?: string | undefined;
  /** Hex sha256 of a regular file's bytes and attributes. */
  hash(file: { readonly path: string; readonly dir: Dir; readonly name: string; readonly stat: Stat }): string;
  /**
   * The digest that `compute` makes of what is at and below `path` (no symlink in it leads elsewhere), perhaps as it was
   * made before. `request` tells different ways of reading apart.
   */
  remembered(path: string, request: string, compute: () => Digest): Digest;
}

/** One entry of a walk. `path` is from the tree's root; `relative` from the walk's start, "" for the start itself. */
export interface TreeEntry {
  readonly path: string;
  readonly relative: string;
  readonly dir: Dir;
  readonly name: string;
  readonly stat: Stat;
}

/** Where a walk begins: an open directory, and its path from the tree's root. */
export interface WalkStart {
  readonly dir: Dir;
  readonly path: string;
}

/** A directory of a walk. */
interface Level {
  /** The names that are still to come, last first. */
  readonly names: string[];
  readonly path: string;
  readonly relative: string;
  readonly state: FilterState | undefined;
  /** The directory's own entry, as long as nothing below it was shown: it comes before that. */
  hidden: Omit<TreeEntry, "dir"> | undefined;
}

/**
 * Every entry below a directory that is neither hidden nor filtered out, parents first, names in byte order. An entry is
 * valid until the next one is asked for. @throws E_PATH_TOO_LONG
 */
export function* walkTree(
  tree: SourceTree,
  start: WalkStart,
  filter: CopyFilter = noFilter,
): Generator<TreeEntry, undefined> {
  using dirs = new DirStack(start.dir);
  const top = { path: start.path, relative: "", state: undefined, hidden: undefined };
  const levels: Level[] = [{ ...top, names: namesOf(start.dir) }];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const name = level.names.pop();
    if (name === undefined) {
      levels.pop();
      if (levels.length > 0) dirs.pop();
      continue;
    }
    const found = lookAt({ tree, filter, dir: dirs.top, level }, name);
    if (found === undefined) continue;
    const { shown, look, entry } = found;
    if (shown) {
      yield* hiddenAbove(dirs, levels);
      yield { ...entry, dir: dirs.top };
    }
    if (entry.stat.type !== "directory") continue;
    checkPathLength(entry.path);
    const { path, relative } = entry;
    const names = namesOf(dirs.push(name));
    levels.push({ names, path, relative, state: look.below, hidden: shown ? undefined : entry });
  }
}

/** An entry that is walked; `shown` false: a directory that is shown only if something below it is. */
interface Look {
  readonly entry: Omit<TreeEntry, "dir">;
  readonly shown: boolean;
  readonly look: FilterResult;
}

/** undefined: nothing of it is shown. */
function lookAt(
  at: { readonly tree: SourceTree; readonly filter: CopyFilter; readonly dir: Dir; readonly level: Level },
  name: string,
): Look | undefined {
  const { tree, filter, dir, level } = at;
  const path = level.path === "" ? name : `${level.path}/${name}`;
  const ignored = tree.excludes(path);
  if (ignored && tree.prunes(path)) return undefined;
  const relative = level.relative === "" ? name : `${level.relative}/${name}`;
  const look = filter.look(relative, level.state);
  const stat = look.prune ? undefined : dir.stat(name);
  if (stat === undefined) return undefined;
  // A directory that is hidden itself is shown only when something below it is not.
  const shown = look.included && (!ignored || (stat.type === "directory" && hasShown(tree, dir, name, path)));
  return { entry: { path, relative, name, stat }, shown, look };
}

/** The directories on the way that were not shown themselves, now that something below them is. */
function* hiddenAbove(dirs: DirStack, levels: readonly Level[]): Generator<TreeEntry, undefined> {
  for (const [depth, level] of levels.entries()) {
    const { hidden } = level;
    if (hidden === undefined) continue;
    level.hidden = undefined;
    using dir = dirs.at(depth - 1);
    yield { ...hidden, dir };
  }
}

/** Its names in byte order, last first. */
export function namesOf(dir: Dir): string[] {
  return dir.names().toSorted(byteOrder).toReversed();
}

/** Whether anything below a hidden directory is not hidden. */
export function hasShown(tree: SourceTree, parent: Dir, name: string, path: string): boolean {
  using start = parent.openDir(name);
  using dirs = new DirStack(start);
  const levels = [{ path, names: start.names() }];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const child = level.names.pop();
    if (child === undefined) {
      levels.pop();
      if (levels.length > 0) dirs.pop();
      continue;
    }
    const at = `${level.path}/${child}`;
    if (!tree.excludes(at)) return true;
    if (tree.prunes(at) || dirs.top.stat(child)?.type !== "directory") continue;
    levels.push({ path: at, names: dirs.push(child).names() });
  }
  return false;
}

/** Compares by UTF-8 bytes. Names are nearly always ASCII, for which the order of strings is the same. */
function byteOrder(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
