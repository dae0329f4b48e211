import type { Dir, Root, Stat } from "../../native/path.ts";
import { comparePaths } from "../../native/pathname.ts";
import { findBelow, openBelow } from "./below.ts";
import { isOpaque, isOverlayXattr, isWhiteout, opaqueXattr } from "./whiteout.ts";

/**
 * Makes one layer directory of several (topmost first), to stand on those of `below`. No byte is copied: files, symlinks
 * and devices become hard links of those in the layers, which nothing ever writes to. Directories are new, with the
 * metadata of the topmost. Only what is there below is hidden: overlayfs lists a whiteout of nothing as a file.
 */
export function squashLayers(layers: readonly Dir[], into: Root, below: readonly Dir[]): void {
  mergeDirectory(layers, into, below);
}

function mergeDirectory(layers: readonly Dir[], into: Dir, below: readonly Dir[]): void {
  const names = new Set(layers.flatMap((layer) => layer.names()));
  for (const name of [...names].toSorted(comparePaths)) mergeEntry(layers, into, below, name);
}

function mergeEntry(layers: readonly Dir[], into: Dir, below: readonly Dir[], name: string): void {
  for (const [at, layer] of layers.entries()) {
    const stat = layer.stat(name);
    if (stat === undefined) continue;
    if (stat.type === "directory") merge(layers.slice(at), into, below, { name, stat });
    else if (!isWhiteout(stat) || findBelow(below, name) !== undefined) into.link(layer, name, name);
    return;
  }
}

/** `layers`: the first has the directory whose metadata counts. */
function merge(
  layers: readonly Dir[],
  into: Dir,
  below: readonly Dir[],
  { name, stat }: { readonly name: string; readonly stat: Stat },
): void {
  using stack = new DisposableStack();
  const parts: Dir[] = [];
  let hides = false;
  for (const layer of layers) {
    const found = layer.stat(name);
    if (found === undefined) continue;
    // What is under a whiteout, a file or an opaque directory is hidden, in the base too.
    hides = found.type !== "directory" || isOpaque(layer, name);
    if (found.type === "directory") parts.push(stack.use(layer.openDir(name)));
    if (hides) break;
  }
  into.mkdir(name, 0o700);
  using made = into.openDir(name);
  mergeDirectory(parts, made, hides ? [] : openBelow(below, name, stack));
  const [top] = layers;
  into.chown(name, stat.uid, stat.gid);
  into.chmod(name, stat.mode);
  for (const key of top?.listxattr(name) ?? []) {
    const value = isOverlayXattr(key) ? undefined : top?.getxattr(name, key);
    if (value !== undefined) into.setxattr(name, key, value);
  }
  if (hides && findBelow(below, name)?.stat.type === "directory") into.setxattr(name, opaqueXattr(), Buffer.from("y"));
  into.utimens(name, stat.mtime);
}
