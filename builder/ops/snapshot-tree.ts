import { openOverlay } from "../../native/mount.ts";
import type { Root } from "../../native/path.ts";
import type { Digest } from "../../store/oci/digest.ts";
import { lowerDirs, type Snapshot } from "../../store/snapshot/snapshotter.ts";
import { hashFile } from "./copy/hash-file.ts";
import type { SourceTree } from "./copy/tree.ts";

/** A snapshot's merged file system, read-only; nothing is attached to any directory of the host. */
export class SnapshotTree implements SourceTree {
  readonly root: Root;
  readonly name: string;
  readonly owner: undefined = undefined;

  private constructor(root: Root, name: string) {
    this.root = root;
    this.name = name;
  }

  /** `name` is what messages call it: `stage build`. */
  static open(snapshot: Snapshot, name: string): SnapshotTree {
    return new SnapshotTree(openOverlay({ lower: lowerDirs(snapshot) }), name);
  }

  excludes(_path: string): boolean {
    return false;
  }

  prunes(_path: string): boolean {
    return false;
  }

  whyExcluded(_path: string): undefined {
    return undefined;
  }

  hash(file: Parameters<SourceTree["hash"]>[0]): string {
    return hashFile(file.dir, file.name, file.stat.size);
  }

  remembered(_path: string, _request: string, compute: () => Digest): Digest {
    return compute();
  }

  [Symbol.dispose](): void {
    this.root[Symbol.dispose]();
  }
}
