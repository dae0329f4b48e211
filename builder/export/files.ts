import { once } from "node:events";
import { Root } from "../../native/path.ts";
import { makeOutputDirectory, writeWhole } from "../../native/whole-file.ts";
import { inUserNamespace } from "../../native/user-namespace.ts";
import { diffLayer } from "../../store/layer/diff.ts";
import { packLayer } from "../../store/layer/pack.ts";
import type { Snapshot } from "../../store/snapshot/snapshotter.ts";
import { Copier } from "../ops/copy/copier.ts";
import { SnapshotTree } from "../ops/snapshot-tree.ts";

/** Copies the file system of a result into a directory of the host, over what is there. @see features O6 */
export async function exportLocal(snapshot: Snapshot | undefined, dest: string, signal: AbortSignal): Promise<void> {
  makeOutputDirectory(dest);
  if (snapshot === undefined) return;
  using tree = SnapshotTree.open(snapshot, "the result");
  using target = Root.open(dest);
  // In a user namespace root is the user: that is whose directory it is.
  const owner = inUserNamespace() ? { uid: 0, gid: 0 } : undefined;
  const copier = new Copier(target, { owner, mode: undefined, createdTime: 0n, signal });
  await copier.copy(tree, { path: "", resolved: "", stat: tree.root.statSelf() }, "/");
  copier.finish();
}

/** Writes the file system of a result as one tar, to a file (which appears whole) or a stream. @see features O7 */
export async function exportTar(
  snapshot: Snapshot | undefined,
  to: { readonly file: string } | { readonly stream: NodeJS.WritableStream },
  epoch: number | undefined,
): Promise<void> {
  if ("stream" in to) return await writeTar(snapshot, to.stream, epoch);
  await writeWhole(to.file, async (stream) => await writeTar(snapshot, stream, epoch));
}

async function writeTar(
  snapshot: Snapshot | undefined,
  stream: NodeJS.WritableStream,
  epoch: number | undefined,
): Promise<void> {
  if (snapshot === undefined) {
    stream.write(Buffer.alloc(1024));
    return;
  }
  using tree = SnapshotTree.open(snapshot, "the result");
  const directory = `/proc/self/fd/${tree.root.fd}`;
  const limit = epoch === undefined ? {} : { epoch: BigInt(epoch) * 1_000_000_000n };
  for (const chunk of packLayer(directory, diffLayer(directory, []), limit)) {
    // The packer uses its buffer again, a stream keeps what it was given.
    if (!stream.write(Buffer.from(chunk))) await once(stream, "drain");
  }
}
