import type { Dir, Root, Stat } from "../../native/path.ts";
import { comparePaths } from "../../native/pathname.ts";
import { isOpaque, isOverlayXattr, isWhiteout, opaqueXattr } from "./whiteout.ts";

/** Options of a merge. `overNothing`: nothing stands below the result, which then needs not hide anything. */
export interface SquashOptions {
  readonly overNothing: boolean;
}

/**
 * Makes one layer directory of several (topmost first). No byte is copied: files, symlinks and devices become hard
 * links of those in the layers, which nothing ever writes to. Directories are new, with the metadata of the topmost.
 */
export function squashLayers(layers: readonly Dir[], into: Root, options: SquashOptions): void {
  new Squash(options).directory(layers, into);
}

class Squash {
  readonly #overNothing: boolean;

  constructor({ overNothing }: SquashOptions) {
    this.#overNothing = overNothing;
  }

  directory(layers: readonly Dir[], into: Dir): void {
    const names = new Set(layers.flatMap((layer) => layer.names()));
    for (const name of [...names].toSorted(comparePaths)) this.#entry(layers, into, name);
  }

  #entry(layers: readonly Dir[], into: Dir, name: string): void {
    for (const [at, layer] of layers.entries()) {
      const stat = layer.stat(name);
      if (stat === undefined) continue;
      if (stat.type === "directory") this.#merge(layers.slice(at), into, { name, stat });
      else if (!(isWhiteout(stat) && this.#overNothing)) into.link(layer, name, name);
      return;
    }
  }

  /** `layers`: the first has the directory whose metadata counts. */
  #merge(layers: readonly Dir[], into: Dir, { name, stat }: { readonly name: string; readonly stat: Stat }): void {
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
    {
      using made = into.openDir(name);
      this.directory(parts, made);
    }
    const [top] = layers;
    into.chown(name, stat.uid, stat.gid);
    into.chmod(name, stat.mode);
    for (const key of top?.listxattr(name) ?? []) {
      const value = isOverlayXattr(key) ? undefined : top?.getxattr(name, key);
      if (value !== undefined) into.setxattr(name, key, value);
    }
    if (hides && !this.#overNothing) into.setxattr(name, opaqueXattr(), Buffer.from("y"));
    into.utimens(name, stat.mtime);
  }
}
