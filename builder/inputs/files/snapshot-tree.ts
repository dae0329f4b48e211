import { openOverlay } from "../../../native/mount.ts";
import { Root } from "../../../native/path.ts";
import type { Digest } from "../../../store/oci/digest.ts";
import { lowerDirs, type Snapshot } from "../../../store/snapshot/snapshotter.ts";
import type { ScratchDirectory } from "../../base/scratch-directory.ts";
import { hashFile } from "./hash-file.ts";
import type { SourceTree } from "./tree.ts";

/** A snapshot's merged file system, read-only; nothing is attached to any directory of the host. */
export class SnapshotTree implements SourceTree {
  readonly root: Root;
  readonly name: string;
  readonly owner: undefined = undefined;
  readonly socketsAsFiles: boolean = false;

  readonly #directory: Disposable | undefined;

  private constructor(root: Root, name: string, directory?: Disposable) {
    this.root = root;
    this.name = name;
    this.#directory = directory;
  }

  /** `name` is what messages call it: `stage build`. */
  static open(snapshot: Snapshot, name: string): SnapshotTree {
    return new SnapshotTree(openOverlay({ lower: lowerDirs(snapshot) }), name);
  }

  /** What FROM scratch has: an empty directory, which belongs to the tree. */
  static empty(directory: ScratchDirectory, name: string): SnapshotTree {
    return new SnapshotTree(Root.open(directory.path), name, directory);
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
    return hashFile(file.dir, file.name, { size: file.stat.size, attributes: true });
  }

  remembered(_path: string, _request: string, compute: () => Digest): Digest {
    return compute();
  }

  [Symbol.dispose](): void {
    this.root[Symbol.dispose]();
    this.#directory?.[Symbol.dispose]();
  }
}
