import type { Descriptor } from "../../store/oci/descriptor.ts";
import type { Document } from "../../store/oci/document.ts";
import type { Manifest } from "../../store/oci/manifest.ts";
import type { Digest } from "../../store/oci/digest.ts";
import type { Reference } from "../../store/oci/reference.ts";
import { checkStored } from "../client/answers.ts";
import type { RegistryClient } from "../client/client.ts";
import type { Endpoint } from "../hosts/endpoints.ts";
import { uploadBlob } from "./upload.ts";

const parallelUploads = 4;

/** What is pushed: documents as bytes, layers through `openBlob`, which may be called again when an upload is repeated. */
export interface PushRequest {
  readonly reference: Reference;
  readonly manifest: Document<Manifest>;
  readonly configBytes: Uint8Array;
  readonly openBlob: (desc: Descriptor) => AsyncIterable<Uint8Array>;
  /** The repository of the same registry that a layer came from: `library/debian`. */
  readonly mountFrom?: (desc: Descriptor) => string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: {
    readonly digest: Digest;
    readonly current: number;
    readonly total: number;
    readonly exists: boolean;
  }) => void;
}

/**
 * Pushes an image: blobs that the registry has are skipped, the others are mounted or uploaded side by side, the
 * manifest comes last. @throws RegistryError
 */
export async function pushImage(client: RegistryClient, request: PushRequest): Promise<Descriptor> {
  const { reference, manifest, signal } = request;
  const endpoint = await client.originEndpoint(reference, signal);
  const blobs = [
    ...new Map([...manifest.value.layers, manifest.value.config].map((one) => [one.digest, one])).values(),
  ];
  const abort = new AbortController();
  const either = signal === undefined ? abort.signal : AbortSignal.any([signal, abort.signal]);
  const work = async (): Promise<void> => {
    for (let desc = blobs.shift(); desc !== undefined; desc = blobs.shift()) {
      await pushBlob(client, endpoint, { ...request, signal: either }, desc);
    }
  };
  const workers = Array.from({ length: Math.min(parallelUploads, blobs.length) }, work);
  try {
    await Promise.all(workers);
  } catch (error) {
    abort.abort(error);
    await Promise.allSettled(workers);
    throw error;
  }
  return await putDocument(client, endpoint, { reference, document: manifest, signal });
}

/** A manifest or an index, under its tag or else under its digest. @throws RegistryError, E_REGISTRY_LIES */
export async function putDocument(
  client: RegistryClient,
  endpoint: Endpoint,
  request: Pick<PushRequest, "reference" | "signal"> & {
    readonly document: Pick<Document<unknown>, "descriptor" | "bytes">;
  },
): Promise<Descriptor> {
  const { reference, signal } = request;
  const { descriptor, bytes } = request.document;
  const name = reference.tag ?? descriptor.digest;
  const sent = await client.send(endpoint, {
    method: "PUT",
    at: `/manifests/${name}`,
    access: "push",
    headers: { "content-type": descriptor.mediaType },
    body: bytes,
    signal,
  });
  const { answer } = sent;
  if (answer.status !== 201 && answer.status !== 200) throw await client.failure(sent, endpoint, reference, "push");
  await answer.discard();
  checkStored(answer, reference, descriptor.digest);
  return descriptor;
}

async function pushBlob(
  client: RegistryClient,
  endpoint: Endpoint,
  request: PushRequest,
  desc: Descriptor,
): Promise<void> {
  const { reference, manifest, configBytes, openBlob, mountFrom, signal, onProgress } = request;
  const { digest, size: total } = desc;
  const isConfig = digest === manifest.value.config.digest;
  // Where the name is rewritten the others' names are not known.
  const rewritten = endpoint.repository !== reference.path;
  const sent = await uploadBlob({
    client,
    endpoint,
    reference,
    desc,
    open: () => (isConfig ? single(configBytes) : openBlob(desc)),
    mountFrom: rewritten ? undefined : mountFrom?.(desc),
    signal,
    onBytes: (current) => onProgress?.({ digest, current, total, exists: false }),
  });
  if (!sent) onProgress?.({ digest, current: total, total, exists: true });
}

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
