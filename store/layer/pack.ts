import type { Cancellation } from "../../native/cancellation.ts";
import { TsbuildError } from "../../native/errors.ts";
import { extentAt, worthAsking } from "../../native/extents.ts";
import { openFlags, Root, statFd, type Dir } from "../../native/path.ts";
import { sha256 } from "../../native/sha256.ts";
import { closeFd } from "../../native/syscall.ts";
import { asDiffID, parseDigest, type DiffID } from "../oci/digest.ts";
import type { Change, EntryStat } from "./change.ts";
import { Chunks } from "./chunks.ts";
import { tarEnd, tarHeader, tarPadding } from "./tar/writer.ts";
import { opaqueMarker, whiteoutPrefix } from "./whiteout.ts";

/** Options of a layer's tar. `epoch` (ns): no time in it is later. */
export interface PackOptions {
  readonly epoch?: bigint;
  readonly signal?: Cancellation;
}

/**
 * The tar of the changes, in chunks of up to 1 MiB. A chunk is valid until the next but one is asked for.
 * The same changes and contents give the same bytes. @throws E_LAYER_CHANGED when a file is not as the change says
 */
export function* packLayer(
  directory: string,
  changes: readonly Change[],
  options: PackOptions = {},
): Generator<Uint8Array> {
  using root = Root.open(directory);
  using parents = new ParentCache(root);
  const out = new Chunks(expectedSize(changes));
  for (const change of changes) {
    const { path, stat } = tarEntry(change, options.epoch);
    const header = tarHeader(path, stat);
    if (!out.put(header)) yield* out.split(header);
    if (stat.type !== "file" || stat.size === 0) continue;
    const file = { parents, path: change.path, size: stat.size };
    if (!packSmall(file, out)) yield* packLarge(file, out);
  }
  yield* out.split(tarEnd);
  if (!out.empty) yield out.take();
}

/** About how large the tar will be: a header and padding are mostly less than three blocks. */
function expectedSize(changes: readonly Change[]): number {
  return changes.reduce((sum, change) => sum + ("stat" in change ? change.stat.size : 0) + 1536, 2048);
}

/**
 * The DiffID of the tar, and its size in bytes. A chunk is hashed while the next one is read. `onProgress`: the bytes that
 * were read so far, of about so many.
 */
export async function hashLayer(
  directory: string,
  changes: readonly Change[],
  options: PackOptions & { readonly onProgress?: (current: number, total: number) => void } = {},
): Promise<{ readonly diffID: DiffID; readonly size: number }> {
  await using hash = sha256();
  let size = 0;
  let hashed: Promise<void> | undefined;
  const total = options.onProgress === undefined ? 0 : expectedSize(changes);
  for (const chunk of packLayer(directory, changes, options)) {
    options.signal?.throwIfAborted();
    await hashed;
    hashed = hash.update(chunk);
    size += chunk.byteLength;
    options.onProgress?.(size, Math.max(size, total));
  }
  await hashed;
  return { diffID: asDiffID(parseDigest(`sha256:${hash.digest()}`)), size };
}

const marker: EntryStat = { type: "file", mode: 0, uid: 0, gid: 0, size: 0, mtime: 0n };

function tarEntry(change: Change, epoch: bigint | undefined): { readonly path: string; readonly stat: EntryStat } {
  switch (change.kind) {
    case "delete": {
      const at = change.path.lastIndexOf("/") + 1;
      return { path: `${change.path.slice(0, at)}${whiteoutPrefix}${change.path.slice(at)}`, stat: marker };
    }
    case "opaque":
      return { path: change.path === "" ? opaqueMarker : `${change.path}/${opaqueMarker}`, stat: marker };
    case "add":
    case "modify": {
      const { path, stat } = change;
      return { path, stat: epoch !== undefined && stat.mtime > epoch ? { ...stat, mtime: epoch } : stat };
    }
    default:
      return change satisfies never;
  }
}

interface PackedFile {
  readonly parents: ParentCache;
  readonly path: string;
  readonly size: number;
}

/** Packs a file for which there is room in the chunk; false where there is not. A generator for each costs too much. */
function packSmall(file: PackedFile, out: Chunks): boolean {
  const filling = tarPadding(file.size);
  if (file.size + filling.byteLength >= out.room) return false;
  const fd = file.parents.openFile(file.path);
  try {
    for (let left = file.size; left > 0;) left -= readSome(file, fd, left, out);
  } finally {
    closeFd(fd);
  }
  return out.put(filling);
}

/** The zeros of holes are not read. */
function* packLarge(file: PackedFile, out: Chunks): Generator<Uint8Array> {
  const fd = file.parents.openFile(file.path);
  try {
    for (let at = 0; at < file.size;) {
      const { hole, end } = file.size < worthAsking ? { hole: false, end: file.size } : extentAt(fd, at, file.size);
      if (hole && statFd(fd).size < file.size) throw changed(file);
      while (at < end) {
        at += hole ? out.zeros(end - at) : readSome(file, fd, end - at, out);
        if (out.room === 0) yield out.take();
      }
    }
  } finally {
    closeFd(fd);
  }
  yield* out.split(tarPadding(file.size));
}

/** How many bytes it were. @throws E_LAYER_CHANGED */
function readSome(file: PackedFile, fd: number, size: number, out: Chunks): number {
  const got = out.read(fd, size);
  if (got > 0) return got;
  throw changed(file);
}

function changed({ path }: PackedFile): TsbuildError {
  return new TsbuildError(`Cannot pack /${path}: it is shorter than it was`, { code: "E_LAYER_CHANGED" });
}

/** The open directory of the last entry: the next one is nearly always in the same. */
class ParentCache implements Disposable {
  readonly #root: Root;
  #path: string | undefined;
  #dir: Dir | undefined;

  constructor(root: Root) {
    this.#root = root;
  }

  /** A descriptor to read the file by, which the caller closes. */
  openFile(path: string): number {
    const at = path.lastIndexOf("/");
    const parent = at < 0 ? "" : path.slice(0, at);
    if (this.#dir === undefined || this.#path !== parent) {
      this.#dir?.[Symbol.dispose]();
      this.#dir = this.#root.dir(parent);
      this.#path = parent;
    }
    return this.#dir.openFile(path.slice(at + 1), openFlags.read);
  }

  [Symbol.dispose](): void {
    this.#dir?.[Symbol.dispose]();
  }
}
