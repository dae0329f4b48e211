import { openFlags, Root } from "../../../native/path.ts";
import { closeFd, readFd } from "../../../native/syscall.ts";
import type { Snapshot } from "../../../store/snapshot/snapshotter.ts";
import { resolveInRoot, statInRoot } from "../../inputs/files/resolve.ts";
import { SnapshotTree } from "../../inputs/files/snapshot-tree.ts";
import type { UserFiles } from "./user.ts";

/** A user database larger than this is an attack, not a database. */
const maxSize = 16 << 20;

const known = new WeakMap<Snapshot, UserFiles>();

/** /etc/passwd and /etc/group of a snapshot's merged file system; remembered. */
export function userFiles(snapshot: Snapshot | undefined): UserFiles {
  if (snapshot === undefined) return { passwd: "", group: "" };
  const found = known.get(snapshot) ?? inheritedFiles(snapshot) ?? readFiles(snapshot);
  known.set(snapshot, found);
  return found;
}

/** A layer that has no etc has the files of what is below it: no need to mount for every RUN. */
function inheritedFiles(snapshot: Snapshot): UserFiles | undefined {
  if (snapshot.parent === undefined) return undefined;
  using layer = Root.open(snapshot.dir);
  return layer.stat("etc") === undefined ? userFiles(snapshot.parent) : undefined;
}

function readFiles(snapshot: Snapshot): UserFiles {
  using tree = SnapshotTree.open(snapshot, "the root file system");
  return { passwd: readText(tree.root, "etc/passwd"), group: readText(tree.root, "etc/group") };
}

function readText(root: Root, path: string): string {
  const resolved = resolveInRoot(root, path);
  const stat = statInRoot(root, resolved);
  if (stat?.type !== "file" || stat.size > maxSize) return "";
  const fd = root.open(resolved, openFlags.read);
  try {
    const buffer = Buffer.alloc(stat.size);
    return buffer.subarray(0, readFd(fd, buffer)).toString("utf8");
  } finally {
    closeFd(fd);
  }
}
