import { realpathSync } from "node:fs";
import { join } from "node:path";
import { writeChunk } from "../../native/write-chunk.ts";
import { TsbuildError } from "../../native/errors.ts";
import { Root, type Dir } from "../../native/path.ts";
import { makeOutputDirectory, writeWhole, writingInto } from "../../native/whole-file.ts";
import { inUserNamespace } from "../../native/user-namespace.ts";
import { diffLayer } from "../../store/layer/diff.ts";
import { packLayer } from "../../store/layer/pack.ts";
import type { Snapshot } from "../../store/snapshot/snapshotter.ts";
import { Copier } from "../ops/copy/copier.ts";
import { SnapshotTree } from "../ops/snapshot-tree.ts";

/** Where the files of a result go, and what becomes of others that are there. */
export interface LocalTarget {
  readonly dest: string;
  /** The directory of the platform below `dest`, if files are kept apart so. */
  readonly below: string | undefined;
  /** Whether what the result does not have is removed. */
  readonly mirror: boolean;
}

/** Copies the file system of a result into a directory of the host, over what is there. @see features O6 */
export async function exportLocal(
  snapshot: Snapshot | undefined,
  { dest, below, mirror }: LocalTarget,
  signal: AbortSignal,
): Promise<void> {
  const directory = below === undefined ? dest : join(dest, below);
  makeOutputDirectory(dest);
  if (below !== undefined) makeOutputDirectory(directory);
  if (mirror && realpathSync(directory) === "/") {
    throw new TsbuildError("Cannot replace the whole root directory of this machine with the result", {
      code: "E_OUTPUT_FILE",
      hint: "give a directory of its own: -o type=local,mode=delete,dest=out",
    });
  }
  using target = Root.open(directory);
  if (snapshot === undefined) {
    if (mirror) for (const name of target.names()) target.removeTree(name);
    return;
  }
  using tree = SnapshotTree.open(snapshot, "the result");
  // In a user namespace root is the user: that is whose directory it is.
  const owner = inUserNamespace() ? { uid: 0, gid: 0 } : undefined;
  await writingInto(directory, async () => {
    if (mirror) removeOthers(target, tree.root);
    const copier = new Copier(target, { owner, mode: undefined, createdTime: 0n, signal });
    await copier.copy(tree, { path: "", resolved: "", stat: tree.root.statSelf() }, "/");
    copier.finish();
  });
}

/** Removes what `wanted` has not, and what is there a directory and here none, or the other way round. */
function removeOthers(here: Dir, wanted: Dir): void {
  for (const name of here.names()) {
    const isDirectory = here.stat(name)?.type === "directory";
    if (isDirectory !== (wanted.stat(name)?.type === "directory") || wanted.stat(name) === undefined) {
      here.removeTree(name);
    } else if (isDirectory) {
      using inner = here.openDir(name);
      using other = wanted.openDir(name);
      removeOthers(inner, other);
    }
  }
}

/** Writes the file system of a result as one tar, to a file (which appears whole) or a stream. @see features O7 */
export async function exportTar(
  snapshot: Snapshot | undefined,
  to: { readonly file: string } | { readonly stream: NodeJS.WritableStream },
  options: TarOptions,
): Promise<void> {
  if ("stream" in to) return await writeTar(snapshot, to.stream, options);
  await writeWhole(to.file, async (stream) => await writeTar(snapshot, stream, options));
}

/** `epoch`: no file is younger, in seconds. */
interface TarOptions {
  readonly epoch?: number | undefined;
  readonly signal: AbortSignal;
}

async function writeTar(
  snapshot: Snapshot | undefined,
  stream: NodeJS.WritableStream,
  { epoch, signal }: TarOptions,
): Promise<void> {
  if (snapshot === undefined) {
    await writeChunk(stream, Buffer.alloc(1024));
    return;
  }
  using tree = SnapshotTree.open(snapshot, "the result");
  const directory = `/proc/self/fd/${tree.root.fd}`;
  const limit = epoch === undefined ? {} : { epoch: BigInt(epoch) * 1_000_000_000n };
  for (const chunk of packLayer(directory, diffLayer(directory, []), limit)) {
    signal.throwIfAborted();
    // The packer uses its buffer again, a stream may keep what it was given.
    await writeChunk(stream, Buffer.from(chunk));
  }
}
