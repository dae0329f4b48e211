import { DirStack } from "../../native/dir-stack.ts";
import type { Dir, Root, Stat } from "../../native/path.ts";
import { comparePaths } from "../../native/pathname.ts";
import { Below } from "./below.ts";
import { isWhiteout, opaqueXattr } from "./whiteout.ts";
import { copyXattrs } from "./xattrs.ts";

/** A directory that is being made: the names that are still to come, last first, and its time. */
interface Level {
  readonly names: string[];
  readonly mtime: bigint | undefined;
}

/**
 * Makes one layer directory of several (topmost first), to stand on those of `below`. No byte is copied: files, symlinks
 * and devices become hard links of those in the layers, which nothing ever writes to. Directories are new, with the
 * metadata of the topmost. Only what is there below is hidden: overlayfs lists a whiteout of nothing as a file.
 */
export function squashLayers(layers: readonly Dir[], into: Root, below: readonly Dir[]): void {
  using from = Below.of(layers);
  using under = Below.of(below);
  using made = new DirStack(into);
  const levels: Level[] = [levelOf(from, undefined)];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const name = level.names.pop();
    if (name !== undefined) {
      const mtime = makeEntry({ from, under, into: made }, name);
      if (mtime !== undefined) levels.push(levelOf(from, mtime));
      continue;
    }
    levels.pop();
    if (level.mtime === undefined) return;
    made.top.utimens(".", level.mtime);
    made.pop();
    from.leave();
    under.leave();
  }
}

function levelOf(from: Below, mtime: bigint | undefined): Level {
  const names = new Set([...from].flatMap((dir) => dir.names()));
  return { names: [...names].toSorted(comparePaths).toReversed(), mtime };
}

/** The layers, what is below them, and the new layer, all at the same directory. */
interface Places {
  readonly from: Below;
  readonly under: Below;
  readonly into: DirStack;
}

/** Makes what the layers have under a name. For a directory, which is entered, the time it gets in the end. */
function makeEntry(places: Places, name: string): bigint | undefined {
  const { from, under, into } = places;
  for (const dir of from) {
    const stat = dir.stat(name);
    if (stat === undefined) continue;
    if (stat.type === "directory") {
      enter(places, dir, name, stat);
      return stat.mtime;
    }
    if (!isWhiteout(stat) || under.find(name) !== undefined) into.top.link(dir, name, name);
    return undefined;
  }
  return undefined;
}

function enter({ from, under, into }: Places, top: Dir, name: string, stat: Stat): void {
  const to = into.top;
  to.mkdir(name, 0o700);
  to.chown(name, stat.uid, stat.gid);
  to.chmod(name, stat.mode);
  copyXattrs({ dir: top, name }, { dir: to, name });
  const hides = from.enter(name);
  // What is under a whiteout, a file or an opaque directory is hidden, in the base too.
  if (!hides) under.enter(name);
  else {
    if (under.find(name)?.stat.type === "directory") to.setxattr(name, opaqueXattr(), Buffer.from("y"));
    under.enterNothing();
  }
  into.push(name);
}
