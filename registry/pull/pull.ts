import { RegistryError } from "../errors.ts";
import type { ContentStore, Ingest } from "../../store/content/store.ts";
import type { Descriptor } from "../../store/oci/descriptor.ts";
import type { Digest } from "../../store/oci/digest.ts";
import type { Image } from "../../store/oci/image.ts";
import { chooseImage, type DocumentSource } from "../../store/oci/choose.ts";
import { invalid } from "../../store/oci/json.ts";
import { formatPlatform, type Platform } from "../../store/oci/platform.ts";
import { familiarName, formatReference, type Reference } from "../../store/oci/reference.ts";
import type { RegistryClient } from "../client/client.ts";
import { RemoteDocuments } from "../client/remote-documents.ts";
import { TsbuildError } from "../../native/errors.ts";

const parallelLayers = 4;
const resumes = 4;

/** Progress of one blob. */
export interface PullProgress {
  readonly digest: Digest;
  readonly current: number;
  readonly total: number;
}

/**
 * Finds the image for a platform and stores its documents: nothing of what turns out to be none. Its layers need not be
 * there. @throws RegistryError, E_PLATFORM_MISSING, E_NOT_AN_IMAGE
 */
export async function resolveImage(
  client: RegistryClient,
  content: ContentStore,
  request: { readonly reference: Reference; readonly platform: Platform; readonly signal?: AbortSignal | undefined },
): Promise<Image> {
  const { reference, platform, signal } = request;
  const name = familiarName(formatReference(reference));
  const documents = new RemoteDocuments(client, reference, signal);
  const top = await documents.top();
  const source: DocumentSource = {
    manifest: async (desc) => await documents.manifest(desc),
    config: async (desc) => {
      await pullBlob(client, content, reference, desc, { signal });
      return await content.read(desc);
    },
  };
  const found = await chooseImage(source, top.descriptor, { name, platform });
  if (found === undefined) throw invalid(`what ${name} has for ${formatPlatform(platform)} is neither image nor index`);
  await documents.store(content);
  return found;
}

/**
 * Brings layers into the content store, several at once; `onLayer` is called for each as soon as it is there, in the
 * order in which they arrive. @throws RegistryError, E_DIGEST_MISMATCH, E_SIZE_MISMATCH
 */
export async function pullLayers(
  client: RegistryClient,
  content: ContentStore,
  request: {
    readonly reference: Reference;
    readonly layers: readonly Descriptor[];
    readonly signal?: AbortSignal | undefined;
    readonly onProgress?: (progress: PullProgress) => void;
    readonly onLayer?: (layer: Descriptor) => Promise<void>;
  },
): Promise<void> {
  const abort = new AbortController();
  const signal = request.signal === undefined ? abort.signal : AbortSignal.any([request.signal, abort.signal]);
  const waiting = [...new Map(request.layers.map((layer) => [layer.digest, layer])).values()];
  const work = async (): Promise<void> => {
    for (let layer = waiting.shift(); layer !== undefined; layer = waiting.shift()) {
      const { digest, size: total } = layer;
      const onProgress = (current: number): void => request.onProgress?.({ digest, current, total });
      await pullBlob(client, content, request.reference, layer, { signal, onProgress });
      await request.onLayer?.(layer);
    }
  };
  const workers = Array.from({ length: Math.min(parallelLayers, waiting.length) }, work);
  try {
    await Promise.all(workers);
  } catch (error) {
    abort.abort(error);
    await Promise.allSettled(workers);
    throw error;
  }
}

interface BlobOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (bytes: number) => void;
  /** It is tried the second time. */
  readonly again?: boolean;
}

/** One blob, resumed where a broken connection or an earlier pull left it. @throws RegistryError, E_DIGEST_MISMATCH */
export async function pullBlob(
  client: RegistryClient,
  content: ContentStore,
  reference: Reference,
  desc: Descriptor,
  options: BlobOptions = {},
): Promise<void> {
  if ((await content.stat(desc.digest))?.size === desc.size) return;
  await using ingest = await content.ingest(desc);
  const resumed = ingest.offset > 0;
  await download(client, ingest, { reference, desc }, options);
  try {
    await ingest.commit();
  } catch (error) {
    // What an earlier pull left may be what is wrong, or a byte that was turned on the way: both are gone now.
    if (!(error instanceof TsbuildError) || options.again === true) throw error;
    if (!resumed && error.code !== "E_DIGEST_MISMATCH") throw error;
    await pullBlob(client, content, reference, desc, { ...options, again: true });
  }
}

async function download(
  client: RegistryClient,
  ingest: Ingest,
  { reference, desc }: { readonly reference: Reference; readonly desc: Descriptor },
  { signal, onProgress }: BlobOptions,
): Promise<void> {
  for (let attempt = 0; attempt <= resumes; attempt++) {
    const before = ingest.offset;
    if (before === desc.size && (before > 0 || attempt > 0)) return;
    try {
      for await (const chunk of client.blob(reference, desc, before, signal)) {
        signal?.throwIfAborted();
        await ingest.write(chunk);
        onProgress?.(ingest.offset);
      }
    } catch (error) {
      // More or less than announced: keeping it would only repeat the error.
      if (error instanceof TsbuildError && error.code === "E_SIZE_MISMATCH") await ingest.discard();
      if (ingest.offset === before || attempt >= resumesAfter(error)) throw error;
    }
  }
}

/** How often a blob is gone on with after an error; a server that stalls has a second chance, and no more. */
function resumesAfter(error: unknown): number {
  if (!(error instanceof RegistryError) || error.status !== undefined) return 0;
  return error.kind === "stalled" ? 1 : resumes;
}
