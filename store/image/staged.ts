import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { checkBytes, checkSize, verified } from "../content/verify.ts";
import { detectCompression, type Compression } from "../layer/compression.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { parseDigest, type Digest } from "../oci/digest.ts";
import { invalid, maxDocument } from "../oci/json.ts";
import type { Store } from "../store.ts";

/** A file of an archive, as it was written down. */
export interface StagedFile {
  readonly digest: Digest;
  readonly size: number;
  readonly compression: Compression;
}

/**
 * Blobs that are to become the store's, all together or none: until then they lie in the process's own directory, which
 * goes with it. What is asked for and was not staged is the store's.
 */
export class StagedBlobs implements AsyncDisposable {
  readonly #store: Store;
  readonly #directory: string;
  readonly #staged = new Map<Digest, { readonly file: string; readonly size: number }>();
  #count = 0;

  private constructor(store: Store, directory: string) {
    this.#store = store;
    this.#directory = directory;
  }

  static async open(store: Store): Promise<StagedBlobs> {
    const directory = join(store.scratch, "staged");
    await mkdir(directory, { mode: 0o700 });
    return new StagedBlobs(store, directory);
  }

  async add(bytes: AsyncIterable<Uint8Array>, algorithm: "sha256" | "sha512" = "sha256"): Promise<StagedFile> {
    const file = join(this.#directory, String(this.#count++));
    const hash = createHash(algorithm);
    let head: Buffer = Buffer.alloc(0);
    let size = 0;
    await using handle = await open(file, "wx", 0o600);
    for await (const chunk of bytes) {
      if (head.length < 8) head = Buffer.concat([head, chunk.subarray(0, 8)]);
      hash.update(chunk);
      size += chunk.byteLength;
      await handle.appendFile(chunk);
    }
    const digest = parseDigest(`${algorithm}:${hash.digest("hex")}`);
    const before = this.#staged.get(digest);
    if (before === undefined) this.#staged.set(digest, { file, size });
    else await rm(file);
    return { digest, size, compression: detectCompression(head) };
  }

  async size(digest: Digest): Promise<number | undefined> {
    return this.#staged.get(digest)?.size ?? (await this.#store.content.stat(digest))?.size;
  }

  /** @throws E_SIZE_MISMATCH, E_CONTENT_NOT_FOUND */
  async read(desc: Descriptor): Promise<Uint8Array> {
    const staged = this.#staged.get(desc.digest);
    if (staged === undefined) return await this.#store.content.read(desc);
    checkSize(desc, staged.size);
    if (desc.size > maxDocument) throw invalid(`one of ${desc.size} bytes is too large`);
    const bytes = await readFile(staged.file);
    checkBytes(desc, bytes);
    return bytes;
  }

  /** A blob's bytes, checked at their end. */
  fetch(desc: Descriptor): AsyncIterable<Uint8Array> {
    const staged = this.#staged.get(desc.digest);
    if (staged === undefined) return this.#store.content.fetch(desc);
    return verified(desc, createReadStream(staged.file, { highWaterMark: 1 << 20 }));
  }

  /** Makes a blob the store's. */
  async keep(digest: Digest): Promise<void> {
    const staged = this.#staged.get(digest);
    if (staged !== undefined) await this.#store.content.adopt(staged.file, { digest, size: staged.size });
    this.#staged.delete(digest);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }
}
