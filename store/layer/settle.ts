import { DirStack } from "../../native/dir-stack.ts";
import type { Dir, Root } from "../../native/path.ts";
import { Below, type Found } from "./below.ts";
import { isOpaque, isWhiteout, opaqueXattr } from "./whiteout.ts";
import { copyXattrs } from "./xattrs.ts";

/**
 * A name in an unpacked layer, in a walk of it with parents first: a directory that no entry is about, a name that is
 * gone, or a directory on the way to one of them. `depth`: 1 in the root.
 */
export interface SettleStep {
  readonly depth: number;
  readonly name: string;
  readonly what: "implied" | "whiteout" | "known";
}

/** What of an unpacked layer only those below it can tell. */
export interface Unsettled {
  readonly steps: readonly SettleStep[];
  /** Whether nothing that is below shows. */
  readonly opaqueRoot: boolean;
}

/**
 * Ends the making of a layer directory that was unpacked by itself, over the directories below it (topmost first).
 * A directory that no entry is about becomes what it is there: owner, mode, time and attributes. What hides nothing goes:
 * overlayfs would list it as a file that cannot be opened. It knows no opaque root, so that each name is hidden.
 */
export function settleLayer(root: Root, below: readonly Dir[], { steps, opaqueRoot }: Unsettled): void {
  if (opaqueRoot) hideAll(root, below);
  using dirs = new DirStack(root);
  using under = Below.of(opaqueRoot ? [] : below);
  for (const { depth, name, what } of steps) {
    while (dirs.depth >= depth) {
      dirs.pop();
      under.leave();
    }
    const dir = dirs.top;
    const found = under.find(name);
    if (what === "whiteout") {
      if (found === undefined) removeWhiteout(dir, name);
      continue;
    }
    if (what === "implied" && found?.stat.type === "directory") copyMetadata(found, dir);
    if (isOpaque(dir, name)) under.enterNothing();
    else under.enter(name);
    dirs.push(name);
  }
}

function hideAll(root: Root, below: readonly Dir[]): void {
  using under = Below.of(below);
  for (const name of new Set(below.flatMap((dir) => dir.names()))) {
    if (under.find(name) === undefined) continue;
    const stat = root.stat(name);
    if (stat === undefined) root.mknod(name, "char", 0, 0, 0);
    else if (stat.type === "directory") root.setxattr(name, opaqueXattr(), Buffer.from("y"));
  }
}

/** An entry that came after the whiteout may have taken its place. */
function removeWhiteout(dir: Dir, name: string): void {
  const stat = dir.stat(name);
  if (stat === undefined || !isWhiteout(stat)) return;
  // Nothing else is told of the directory: it must not seem newer for it.
  const { mtime } = dir.statSelf();
  dir.unlink(name);
  dir.utimens(".", mtime);
}

function copyMetadata({ dir: from, name, stat }: Found, to: Dir): void {
  to.chown(name, stat.uid, stat.gid);
  to.chmod(name, stat.mode);
  copyXattrs({ dir: from, name }, { dir: to, name });
  to.utimens(name, stat.mtime);
}
