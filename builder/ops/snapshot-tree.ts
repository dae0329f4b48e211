import { mountOverlay, type MountHandle } from "../../native/mount.ts";
import { Root } from "../../native/path.ts";
import { lowerDirs, type Snapshot } from "../../store/snapshot/snapshotter.ts";
import { hashFile } from "./copy/hash-file.ts";
import type { SourceTree } from "./copy/tree.ts";

/** A snapshot's merged file system, read-only; nothing is attached to any directory of the host. */
export class SnapshotTree implements SourceTree {
  readonly root: Root;
  readonly name: string;
  readonly owner: undefined = undefined;
  readonly #mount: MountHandle | undefined;

  private constructor(root: Root, name: string, mount: MountHandle | undefined) {
    this.root = root;
    this.name = name;
    this.#mount = mount;
  }

  /** `name` is what messages call it: `stage build`. */
  static open(snapshot: Snapshot, name: string): SnapshotTree {
    const mount = mountOverlay({ lower: lowerDirs(snapshot) });
    return new SnapshotTree(Root.fromFd(mount.fd), name, mount);
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
    return hashFile(file.dir, file.name);
  }

  [Symbol.dispose](): void {
    this.root[Symbol.dispose]();
    this.#mount?.[Symbol.dispose]();
  }
}

