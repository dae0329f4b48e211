import { createHash } from "node:crypto";
import type { Cancellation } from "../../native/cancellation.ts";
import { TsbuildError } from "../../native/errors.ts";
import { openFlags, Root, type Dir } from "../../native/path.ts";
import { closeFd, readFd } from "../../native/syscall.ts";
import { asDiffID, parseDigest, type DiffID } from "../oci/digest.ts";
import type { Change, EntryStat } from "./change.ts";
import { tarEnd, tarHeader, tarPadding } from "./tar/writer.ts";
import { opaqueMarker, whiteoutPrefix } from "./whiteout.ts";

const chunkSize = 1 << 20;

/** Options of a layer's tar. `epoch` (ns): no time in it is later. */
export interface PackOptions {
  readonly epoch?: bigint;
  readonly signal?: Cancellation;
}

/**
 * The tar of the changes, in chunks of up to 1 MiB. A chunk is valid until the next one is asked for.
 * The same changes and contents give the same bytes. @throws E_LAYER_CHANGED when a file is not as the change says
 */
export function* packLayer(
  directory: string,
  changes: readonly Change[],
  options: PackOptions = {},
): Generator<Uint8Array> {
  using root = Root.open(directory);
  using parents = new ParentCache(root);
  const out = new Collector();
  for (const change of changes) {
    const entry = tarEntry(change, options.epoch);
    yield* out.add(tarHeader(entry.path, entry.stat));
    if (entry.stat.type === "file" && entry.stat.size > 0) yield* packFile(parents, change.path, entry.stat, out);
  }
  yield* out.add(tarEnd);
  yield* out.flush();
}

/** The DiffID of the tar, and its size in bytes. */
export function hashLayer(
  directory: string,
  changes: readonly Change[],
  options: PackOptions = {},
): { readonly diffID: DiffID; readonly size: number } {
  const hash = createHash("sha256");
  let size = 0;
  for (const chunk of packLayer(directory, changes, options)) {
    options.signal?.throwIfAborted();
    hash.update(chunk);
    size += chunk.byteLength;
  }
  return { diffID: asDiffID(parseDigest(`sha256:${hash.digest("hex")}`)), size };
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

function* packFile(parents: ParentCache, path: string, stat: EntryStat, out: Collector): Generator<Uint8Array> {
  const { dir, name } = parents.find(path);
  const fd = dir.openFile(name, openFlags.read);
  try {
    let left = stat.size;
    while (left > 0) {
      const room = out.room();
      const got = readFd(fd, room.subarray(0, Math.min(room.length, left)));
      if (got === 0) throw changed(path);
      left -= got;
      yield* out.took(got);
    }
  } finally {
    closeFd(fd);
  }
  yield* out.add(tarPadding(stat.size));
}

function changed(path: string): TsbuildError {
  return new TsbuildError(`Cannot pack /${path}: it is shorter than it was`, { code: "E_LAYER_CHANGED" });
}

/** Collects small pieces into chunks. */
class Collector {
  readonly #buffer = Buffer.allocUnsafe(chunkSize);
  #at = 0;

  /** Free space; at least one byte. */
  room(): Buffer {
    return this.#buffer.subarray(this.#at);
  }

  *took(size: number): Generator<Uint8Array> {
    this.#at += size;
    if (this.#at === this.#buffer.length) yield* this.flush();
  }

  *add(bytes: Uint8Array): Generator<Uint8Array> {
    let rest = bytes;
    while (rest.byteLength > 0) {
      const part = rest.subarray(0, this.#buffer.length - this.#at);
      this.#buffer.set(part, this.#at);
      rest = rest.subarray(part.byteLength);
      yield* this.took(part.byteLength);
    }
  }

  *flush(): Generator<Uint8Array> {
    const { buffer } = { buffer: this.#buffer.subarray(0, this.#at) };
    this.#at = 0;
    if (buffer.length > 0) yield buffer;
  }
}

/** The open directory of the last entry: the next one is nearly always in the same. */
class ParentCache implements Disposable {
  readonly #root: Root;
  #path: string | undefined;
  #dir: Dir | undefined;

  constructor(root: Root) {
    this.#root = root;
  }

  find(path: string): { readonly dir: Dir; readonly name: string } {
    const at = path.lastIndexOf("/");
    const parent = at < 0 ? "" : path.slice(0, at);
    if (this.#dir === undefined || this.#path !== parent) {
      this.#dir?.[Symbol.dispose]();
      this.#dir = this.#root.dir(parent);
      this.#path = parent;
    }
    return { dir: this.#dir, name: path.slice(at + 1) };
  }

  [Symbol.dispose](): void {
    this.#dir?.[Symbol.dispose]();
  }
}
