import { createHash } from "node:crypto";
import { createReadStream, readFileSync, statSync } from "node:fs";
import { mkdir, open, readdir, rename, rm, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { TsbuildError } from "../../native/errors.ts";
import { tryLock, type FileLock } from "../../native/lock.ts";
import { isDigest, parseDigest, splitDigest, type Digest } from "../oci/digest.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { ContentStore, Ingest, TransferOptions } from "./store.ts";
import { checkBytes, Verifier, verified } from "./verify.ts";

const readSize = 1 << 20;

/**
 * Blobs as files: `blobs/ALGORITHM/HEX`. A blob is written beside, flushed, verified and renamed into its place, so
 * that readers see all of it or nothing. Partial downloads stay in `ingest/` for a later resume.
 */
export class LocalContentStore implements ContentStore {
  readonly #root: string;
  readonly #scratch: string;
  readonly #onlyReads: boolean;

  /** `scratch`: a directory in the same file system that is swept when this process is gone. Who only reads has none. */
  constructor(root: string, scratch?: string) {
    this.#root = root;
    this.#scratch = scratch ?? join(root, "ingest");
    this.#onlyReads = scratch === undefined;
  }

  /** Where a blob's file is, whether or not it is there. */
  path(digest: Digest): string {
    const { algorithm, hex } = splitDigest(digest);
    return join(this.#root, "blobs", algorithm, hex);
  }

  async stat(digest: Digest): Promise<{ readonly size: number } | undefined> {
    const found = statSync(this.path(digest), { throwIfNoEntry: false });
    return found === undefined ? undefined : { size: found.size };
  }

  async *fetch(
    desc: Descriptor,
    options: TransferOptions & { readonly offset?: number } = {},
  ): AsyncGenerator<Uint8Array> {
    const { offset = 0, signal, onProgress } = options;
    if ((await this.stat(desc.digest)) === undefined) throw notFound(desc.digest);
    const stream = createReadStream(this.path(desc.digest), { start: offset, highWaterMark: readSize });
    let done = offset;
    try {
      for await (const chunk of offset === 0 ? verified(desc, stream) : stream) {
        signal?.throwIfAborted();
        done += chunk.byteLength;
        onProgress?.(done);
        yield chunk;
      }
    } catch (error) {
      throw isMismatch(error) ? await this.#withoutDamaged(desc.digest, error) : error;
    }
  }

  async read(desc: Descriptor): Promise<Uint8Array> {
    if ((await this.stat(desc.digest)) === undefined) throw notFound(desc.digest);
    const bytes = readFileSync(this.path(desc.digest));
    try {
      checkBytes(desc, bytes);
    } catch (error) {
      throw await this.#withoutDamaged(desc.digest, error);
    }
    return bytes;
  }

  /**
   * A file that is not what its name says, after the power failed or a disk did, is as good as none, and would be in the
   * way of a good one: it goes. Where it is, the descriptor lies, and the error stays.
   */
  async #withoutDamaged(digest: Digest, error: unknown): Promise<unknown> {
    const { algorithm, hex } = splitDigest(digest);
    const hash = createHash(algorithm);
    for await (const chunk of createReadStream(this.path(digest), { highWaterMark: readSize })) hash.update(chunk);
    if (hash.digest("hex") === hex) return error;
    if (!this.#onlyReads) await this.delete(digest);
    return notFound(digest, error);
  }

  async push(desc: Descriptor, bytes: AsyncIterable<Uint8Array>, options: TransferOptions = {}): Promise<void> {
    if ((await this.stat(desc.digest))?.size === desc.size) return;
    await using ingest = await this.ingest(desc);
    if (ingest.offset > 0) await ingest.discard();
    await using fresh = ingest.offset > 0 ? await this.ingest(desc) : ingest;
    let done = 0;
    for await (const chunk of bytes) {
      options.signal?.throwIfAborted();
      await fresh.write(chunk);
      done += chunk.byteLength;
      options.onProgress?.(done);
    }
    await fresh.commit();
  }

  async ingest(desc: Descriptor): Promise<Ingest> {
    const { algorithm, hex } = splitDigest(desc.digest);
    const directory = join(this.#root, "ingest");
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const base = join(directory, `${algorithm}-${hex}`);
    // Another process may be at the same blob: it keeps the resumable file, this one gets its own.
    const held = tryLock(`${base}.lock`);
    const file = held === undefined ? `${base}.${process.pid}.${Math.random().toString(36).slice(2)}` : base;
    return await LocalIngest.open({ desc, file, target: this.path(desc.digest), lock: held });
  }

  async put(
    bytes: AsyncIterable<Uint8Array>,
    check?: (digest: Digest) => void,
  ): Promise<{ readonly digest: Digest; readonly size: number }> {
    const file = join(this.#scratch, `blob-${Math.random().toString(36).slice(2)}`);
    const handle = await open(file, "wx", 0o600);
    const hash = createHash("sha256");
    let size = 0;
    try {
      for await (const chunk of bytes) {
        hash.update(chunk);
        size += chunk.byteLength;
        await handle.appendFile(chunk);
      }
      const digest = parseDigest(`sha256:${hash.digest("hex")}`);
      check?.(digest);
      await handle.sync();
      await mkdir(dirname(this.path(digest)), { recursive: true, mode: 0o700 });
      await rename(file, this.path(digest));
      await syncPath(dirname(this.path(digest)));
      return { digest, size };
    } finally {
      await handle.close();
      await rm(file, { force: true });
    }
  }

  async adopt(file: string, { digest, size }: { readonly digest: Digest; readonly size: number }): Promise<void> {
    if ((await this.stat(digest))?.size === size) return;
    await syncPath(file);
    await mkdir(dirname(this.path(digest)), { recursive: true, mode: 0o700 });
    await rename(file, this.path(digest));
    await syncPath(dirname(this.path(digest)));
  }

  async delete(digest: Digest): Promise<void> {
    await rm(this.path(digest), { force: true });
  }

  async *list(): AsyncGenerator<{ readonly digest: Digest; readonly size: number }> {
    for (const algorithm of ["sha256", "sha512"]) {
      const directory = join(this.#root, "blobs", algorithm);
      for (const hex of (await readdir(directory).catch(absent)) ?? []) {
        const digest = `${algorithm}:${hex}`;
        if (!isDigest(digest)) continue;
        const found = await this.stat(digest);
        if (found !== undefined) yield { digest, size: found.size };
      }
    }
  }
}

class LocalIngest implements Ingest {
  readonly #file: string;
  readonly #target: string;
  readonly #handle: FileHandle;
  readonly #lock: FileLock | undefined;
  readonly #verifier: Verifier;
  #offset: number;
  #open = true;

  private constructor(init: {
    readonly file: string;
    readonly target: string;
    readonly handle: FileHandle;
    readonly lock: FileLock | undefined;
    readonly verifier: Verifier;
    readonly offset: number;
  }) {
    this.#file = init.file;
    this.#target = init.target;
    this.#handle = init.handle;
    this.#lock = init.lock;
    this.#verifier = init.verifier;
    this.#offset = init.offset;
  }

  static async open(init: {
    readonly desc: Descriptor;
    readonly file: string;
    readonly target: string;
    readonly lock: FileLock | undefined;
  }): Promise<LocalIngest> {
    const { desc, file, target } = init;
    const handle = await open(file, "a+", 0o600);
    const verifier = new Verifier(desc);
    const { size } = await handle.stat();
    let offset = size;
    if (size > desc.size) {
      await handle.truncate(0);
      offset = 0;
    }
    // What is there already is hashed again: the verdict at the end is about all of it.
    if (offset > 0)
      for await (const chunk of createReadStream(file, { highWaterMark: readSize })) verifier.update(chunk);
    return new LocalIngest({ file, target, handle, lock: init.lock, verifier, offset });
  }

  get offset(): number {
    return this.#offset;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#verifier.update(bytes);
    await this.#handle.appendFile(bytes);
    this.#offset += bytes.byteLength;
  }

  async commit(): Promise<void> {
    try {
      this.#verifier.finish();
    } catch (error) {
      await this.discard();
      throw error;
    }
    await this.#handle.sync();
    await mkdir(dirname(this.#target), { recursive: true, mode: 0o700 });
    await rename(this.#file, this.#target);
    await syncPath(dirname(this.#target));
    await this.#close(true);
  }

  async discard(): Promise<void> {
    await rm(this.#file, { force: true });
    await this.#close(true);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A file of its own beside another process's cannot be found again: it is no resume. Neither is an empty one.
    const useless = this.#offset === 0 || this.#lock === undefined;
    if (this.#open && useless) await rm(this.#file, { force: true });
    await this.#close(useless);
  }

  async #close(finished: boolean): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#handle.close();
    if (finished && this.#lock !== undefined) await rm(`${this.#file}.lock`, { force: true });
    this.#lock?.[Symbol.dispose]();
  }
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function absent(error: unknown): undefined {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
  throw error;
}

function isMismatch(error: unknown): boolean {
  return error instanceof TsbuildError && /^E_(?:DIGEST|SIZE)_MISMATCH$/.test(error.code);
}

/** `damaged`: why a file that was there is taken for none. */
function notFound(digest: Digest, damaged?: unknown): TsbuildError {
  const why = damaged === undefined ? "it is not in the store" : "its file in the store was damaged";
  return new TsbuildError(`Cannot read ${digest}: ${why}`, {
    code: "E_CONTENT_NOT_FOUND",
    ...(damaged === undefined ? {} : { cause: damaged }),
    hint: "bring it back: pull the image again, or build it with --no-cache",
  });
}
