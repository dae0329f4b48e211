import type { Cancellation } from "../../native/cancellation.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";

/** What waits takes an AbortSignal; `onProgress` gets the bytes done so far. */
export interface TransferOptions {
  readonly signal?: Cancellation;
  readonly onProgress?: (bytes: number) => void;
}

/** Bytes by descriptor. The stream fails with E_DIGEST_MISMATCH or E_SIZE_MISMATCH at its end if they are not what was named. */
export interface ContentSource {
  fetch(desc: Descriptor, options?: TransferOptions & { readonly offset?: number }): AsyncIterable<Uint8Array>;
}

/** Idempotent; resolved means: the content is stored under `desc.digest`, verified and durable. */
export interface ContentSink {
  push(desc: Descriptor, bytes: AsyncIterable<Uint8Array>, options?: TransferOptions): Promise<void>;
}

/** A blob in writing that survives an interruption: `offset` bytes are there already, and verified at commit. */
export interface Ingest extends AsyncDisposable {
  readonly offset: number;
  write(bytes: Uint8Array): Promise<void>;
  /** @throws E_DIGEST_MISMATCH, E_SIZE_MISMATCH: the partial is dropped then */
  commit(): Promise<void>;
  /** Forgets what was written. Dispose without commit keeps it for a later resume. */
  discard(): Promise<void>;
}

/** Immutable blobs by digest. */
export interface ContentStore extends ContentSource, ContentSink {
  /** What was looked at stays as long as this process has the store, or comes from now on. */
  stat(digest: Digest): Promise<{ readonly size: number } | undefined>;
  delete(digest: Digest): Promise<void>;
  /** Every blob; nothing of them is held. */
  list(): readonly { readonly digest: Digest; readonly size: number }[];
  /** Small blobs whole (manifests, configs). @throws E_CONTENT_NOT_FOUND */
  read(desc: Descriptor): Promise<Uint8Array>;
  ingest(desc: Descriptor): Promise<Ingest>;
  /**
   * Stores bytes whose digest is not known yet; durable when it resolves. What `check` throws at their end keeps them
   * from becoming a blob.
   */
  put(
    bytes: AsyncIterable<Uint8Array>,
    check?: (digest: Digest) => void,
  ): Promise<{ readonly digest: Digest; readonly size: number }>;
  /** Takes over a file of the same file system, whose digest was checked when it was written; durable when it resolves. */
  adopt(file: string, blob: { readonly digest: Digest; readonly size: number }): Promise<void>;
  /** The file of a blob, whether or not it is there; for reading only. */
  path(digest: Digest): string;
}
