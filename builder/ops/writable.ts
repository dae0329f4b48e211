import { mountOverlay } from "../../native/mount.ts";
import { Root } from "../../native/path.ts";
import { lowerDirs, type ActiveSnapshot } from "../../store/snapshot/snapshotter.ts";

/** The merged file system of an active snapshot; what is written lands in its upper directory. */
export interface WritableRoot extends Disposable {
  readonly root: Root;
}

/** Opens it through a detached overlay mount. Dispose before commit(). */
export function openWritable(active: ActiveSnapshot): WritableRoot {
  const lower = lowerDirs(active.parent);
  if (lower.length === 0) {
    const root = Root.open(active.upper);
    return { root, [Symbol.dispose]: () => root[Symbol.dispose]() };
  }
  const mount = mountOverlay({ lower, upper: active.upper, work: active.work }, { volatile: true });
  const root = Root.fromFd(mount.fd);
  return {
    root,
    [Symbol.dispose]: () => {
      root[Symbol.dispose]();
      mount[Symbol.dispose]();
    },
  };
}
