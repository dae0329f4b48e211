import { fstatSync, statSync } from "node:fs";
import { join } from "node:path";
import { writeChunk } from "../../native/write-chunk.ts";
import { TsbuildError } from "../../native/errors.ts";
import { DirStack } from "../../native/dir-stack.ts";
import { Root, type Dir } from "../../native/path.ts";
import { openOutputDirectory, openOutputIn, writeWhole, writingInto } from "../../native/whole-file.ts";
import { inUserNamespace } from "../../native/user-namespace.ts";
import type { Change } from "../../store/layer/change.ts";
import { diffLayer } from "../../store/layer/diff.ts";
import { packLayer } from "../../store/layer/pack.ts";
import type { Snapshot } from "../../store/snapshot/snapshotter.ts";
import { Copier } from "../inputs/files/copier.ts";
import { SnapshotTree } from "../inputs/files/snapshot-tree.ts";

/** `epoch`: the time of every file, in seconds; undefined: as in the result. */
export interface FileOptions {
  readonly epoch?: number | undefined;
  readonly signal: AbortSignal;
}

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
  { epoch, signal }: FileOptions,
): Promise<void> {
  const directory = below === undefined ? dest : join(dest, below);
  using top = openOutputDirectory(dest);
  using inside = below === undefined ? undefined : Root.fromFd(openOutputIn(top, below, directory).fd);
  const target = inside ?? top;
  if (mirror && isHostRoot(target)) {
    throw new TsbuildError("Cannot replace the whole root directory of this machine with the result", {
      code: "E_OUTPUT_FILE",
      hint: "give a directory of its own: -o type=local,mode=delete,dest=out",
    });
  }
  if (snapshot === undefined) {
    if (mirror) for (const name of target.names()) target.removeTree(name);
    return;
  }
  using tree = SnapshotTree.open(snapshot, "the result");
  // In a user namespace root is the user: that is whose directory it is.
  const owner = inUserNamespace() ? { uid: 0, gid: 0 } : undefined;
  await writingInto(directory, async () => {
    if (mirror) removeOthers(target, tree.root);
    const time = nanoseconds(epoch);
    const copier = new Copier(target, { owner, mode: undefined, createdTime: time ?? 0n, time, signal });
    await copier.copy(tree, { path: "", resolved: "", stat: tree.root.statSelf() }, "/");
    copier.finish();
  });
}

function isHostRoot(dir: Dir): boolean {
  const [{ dev, ino }, host] = [fstatSync(dir.fd), statSync("/")];
  return dev === host.dev && ino === host.ino;
}

/** Removes what `wanted` has not, and what is there a directory and here none, or the other way round. */
function removeOthers(here: Dir, wanted: Dir): void {
  using from = new DirStack(here);
  using like = new DirStack(wanted);
  const levels = [here.names()];
  for (let names = levels.at(-1); names !== undefined; names = levels.at(-1)) {
    const name = names.pop();
    if (name === undefined) {
      levels.pop();
      if (levels.length === 0) return;
      from.pop();
      like.pop();
      continue;
    }
    const isDirectory = from.top.stat(name)?.type === "directory";
    const found = like.top.stat(name);
    if (found === undefined || isDirectory !== (found.type === "directory")) from.top.removeTree(name);
    else if (isDirectory) {
      like.push(name);
      levels.push(from.push(name).names());
    }
  }
}

/** Writes the file system of a result as one tar, to a file (which appears whole) or a stream. @see features O7 */
export async function exportTar(
  snapshot: Snapshot | undefined,
  to: { readonly file: string } | { readonly stream: NodeJS.WritableStream },
  options: FileOptions,
): Promise<void> {
  if ("stream" in to) return await writeTar(snapshot, to.stream, options);
  await writeWhole(to.file, async (stream) => await writeTar(snapshot, stream, options));
}

async function writeTar(
  snapshot: Snapshot | undefined,
  stream: NodeJS.WritableStream,
  { epoch, signal }: FileOptions,
): Promise<void> {
  if (snapshot === undefined) {
    await writeChunk(stream, Buffer.alloc(1024));
    return;
  }
  using tree = SnapshotTree.open(snapshot, "the result");
  const directory = `/proc/self/fd/${tree.root.fd}`;
  const changes = withTime(diffLayer(directory, []), nanoseconds(epoch));
  for (const chunk of packLayer(directory, changes)) {
    signal.throwIfAborted();
    // The packer uses its buffer again, a stream may keep what it was given.
    await writeChunk(stream, Buffer.from(chunk));
  }
}

function nanoseconds(seconds: number | undefined): bigint | undefined {
  return seconds === undefined ? undefined : BigInt(seconds) * 1_000_000_000n;
}

function withTime(changes: readonly Change[], mtime: bigint | undefined): readonly Change[] {
  if (mtime === undefined) return changes;
  return changes.map((change) => ("stat" in change ? { ...change, stat: { ...change.stat, mtime } } : change));
}
