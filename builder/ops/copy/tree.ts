import type { Dir, Root, Stat } from "../../../native/path.ts";
import type { Digest } from "../../../store/oci/digest.ts";
import { noFilter, type CopyFilter, type FilterState } from "./filter.ts";

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

/** Where a walk is: an open directory, its path from the tree's root and from the walk's start. */
export interface WalkPlace {
  readonly dir: Dir;
  readonly path: string;
  readonly relative: string;
  readonly state: FilterState | undefined;
}

/** Every entry below a directory that is neither hidden nor filtered out, parents first, names in byte order. */
export function* walkTree(
  tree: SourceTree,
  { dir, path, relative, state }: WalkPlace,
  filter: CopyFilter = noFilter,
): Generator<TreeEntry> {
  for (const name of dir.names().toSorted(byteOrder)) {
    const child = path === "" ? name : `${path}/${name}`;
    const ignored = tree.excludes(child);
    if (ignored && tree.prunes(child)) continue;
    const below = relative === "" ? name : `${relative}/${name}`;
    const look = filter.look(below, state);
    if (look.prune) continue;
    const stat = dir.stat(name);
    if (stat === undefined) continue;
    // A directory that is hidden itself is shown only when something below it is not.
    const shown = look.included && (!ignored || (stat.type === "directory" && hasShown(tree, dir, name, child)));
    if (shown) yield { path: child, relative: below, dir, name, stat };
    if (stat.type !== "directory") continue;
    using sub = dir.openDir(name);
    const inside = walkTree(tree, { dir: sub, path: child, relative: below, state: look.below }, filter);
    if (shown) yield* inside;
    else yield* shownBelow({ path: child, relative: below, dir, name, stat }, inside);
  }
}

/** Whether anything below a hidden directory is not hidden. */
export function hasShown(tree: SourceTree, parent: Dir, name: string, path: string): boolean {
  using dir = parent.openDir(name);
  return dir.names().some((child) => {
    const at = `${path}/${child}`;
    if (!tree.excludes(at)) return true;
    return !tree.prunes(at) && dir.stat(child)?.type === "directory" && hasShown(tree, dir, child, at);
  });
}

/** The entry of a hidden directory before the first of its entries that is not. */
function* shownBelow(entry: TreeEntry, below: Generator<TreeEntry>): Generator<TreeEntry> {
  let shown = false;
  for (const one of below) {
    if (!shown) yield entry;
    shown = true;
    yield one;
  }
}

/** Compares by UTF-8 bytes. Names are nearly always ASCII, for which the order of strings is the same. */
export function byteOrder(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
