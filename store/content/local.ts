import { createHash } from "node:crypto";
import { createReadStream, readdirSync, readFileSync, statSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { TsbuildError } from "../../native/errors.ts";
import type { Holds } from "../holds.ts";
import { isDigest, parseDigest, splitDigest, type Digest } from "../oci/digest.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Trash } from "../trash.ts";
import { LocalIngest, openPartial, putInPlace, syncPath } from "./ingest.ts";
import type { ContentStore, Ingest, TransferOptions } from "./store.ts";
import { checkBytes, verified } from "./verify.ts";

const readSize = 1 << 20;

/**
 * Blobs as files: `blobs/ALGORITHM/HEX`. A blob is written beside, flushed, verified and renamed into its place, so
 * that readers see all of it or nothing. Partial downloads stay in `ingest/` for a later resume.
 */
export class LocalContentStore implements ContentStore {
  readonly #root: string;
  readonly #scratch: string;
  readonly #holds: Holds | undefined;

  /** `scratch`: a directory in the same file system that is swept when this process is gone. Who only reads has neither. */
  constructor(root: string, own?: { readonly scratch: string; readonly holds: Holds }) {
    this.#root = root;
    this.#scratch = own?.scratch ?? join(root, "ingest");
    this.#holds = own?.holds;
  }

  /** Where a blob's file is, whether or not it is there. */
  path(digest: Digest): string {
    const { algorithm, hex } = splitDigest(digest);
    return join(this.#root, "blobs", algorithm, hex);
  }

  async stat(digest: Digest): Promise<{ readonly size: number } | undefined> {
    await this.#holds?.hold(digest);
    return this.#look(digest);
  }

  #look(digest: Digest): { readonly size: number } | undefined {
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
    if (this.#holds !== undefined) await this.delete(digest);
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
    await this.#holds?.hold(desc.digest);
    const { algorithm, hex } = splitDigest(desc.digest);
    const name = `${algorithm}-${hex}`;
    const partial = await openPartial(join(this.#root, "ingest"), name, this.#scratch);
    return await LocalIngest.open({ desc, target: this.path(desc.digest), ...partial });
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
      await this.#holds?.hold(digest);
      await putInPlace(file, this.path(digest));
      return { digest, size };
    } finally {
      await handle.close();
      await rm(file, { force: true });
    }
  }

  async adopt(file: string, { digest, size }: { readonly digest: Digest; readonly size: number }): Promise<void> {
    if ((await this.stat(digest))?.size === size) return;
    await syncPath(file);
    await putInPlace(file, this.path(digest));
  }

  async delete(digest: Digest): Promise<void> {
    await rm(this.path(digest), { force: true });
  }

  list(): readonly { readonly digest: Digest; readonly size: number }[] {
    return ["sha256", "sha512"].flatMap((algorithm) =>
      namesIn(join(this.#root, "blobs", algorithm)).flatMap((hex) => {
        const digest = `${algorithm}:${hex}`;
        const found = isDigest(digest) ? this.#look(digest) : undefined;
        return found === undefined || !isDigest(digest) ? [] : [{ digest, size: found.size }];
      }),
    );
  }

  /** For a collector that has the blob alone. */
  remove(digest: Digest, trash: Trash): void {
    const { algorithm, hex } = splitDigest(digest);
    trash.take(join(this.#root, "blobs", algorithm), hex);
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
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
