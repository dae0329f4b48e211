import { openOverlay } from "../../native/mount.ts";
import { Root } from "../../native/path.ts";
import { lowerDirs, type ActiveSnapshot } from "../../store/snapshot/snapshotter.ts";

/**
 * The merged file system of an active snapshot; what is written lands in its upper directory. Dispose before commit().
 * `volatile` (no sync at all) marks the work directory so that it cannot be mounted a second time.
 */
export function openWritable(active: ActiveSnapshot, volatile: boolean = true): Root {
  const lower = lowerDirs(active.parent);
  if (lower.length === 0) return Root.open(active.upper);
  return openOverlay({ lower, upper: active.upper, work: active.work }, { volatile });
}
