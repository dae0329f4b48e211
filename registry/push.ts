import { checkStored } from "./answers.ts";
import { RegistryError } from "./transport/errors.ts";
import { redirected } from "./transport/redirect.ts";
import type { Descriptor } from "../store/oci/descriptor.ts";
import type { Manifest } from "../store/oci/manifest.ts";
import { parseReference, type Reference } from "../store/oci/reference.ts";
import type { Digest } from "../store/oci/digest.ts";
import type { RegistryClient } from "./client.ts";
import type { Endpoint } from "./endpoints.ts";

const parallelUploads = 4;
const tries = 3;

/** What is pushed: documents as bytes, layers through `openBlob`, which may be called again when an upload is repeated. */
export interface PushRequest {
  readonly reference: Reference;
  readonly manifest: Manifest;
  readonly descriptor: Descriptor;
  readonly manifestBytes: Uint8Array;
  readonly configBytes: Uint8Array;
  readonly openBlob: (desc: Descriptor) => AsyncIterable<Uint8Array>;
  /** Repositories of the same registry that may have a layer already: `library/debian`. */
  readonly mountFrom?: readonly string[];
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
  const blobs = [...new Map([...manifest.layers, manifest.config].map((one) => [one.digest, one])).values()];
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
  return await putDocument(client, endpoint, request);
}

/** A manifest or an index, under its tag or else under its digest. @throws RegistryError, E_REGISTRY_LIES */
export async function putDocument(
  client: RegistryClient,
  endpoint: Endpoint,
  request: Pick<PushRequest, "reference" | "descriptor" | "manifestBytes" | "signal">,
): Promise<Descriptor> {
  const { reference, descriptor, manifestBytes, signal } = request;
  const name = reference.tag ?? descriptor.digest;
  const answer = await client.send(
    endpoint,
    `/manifests/${name}`,
    { method: "PUT", headers: { "content-type": descriptor.mediaType }, body: manifestBytes, signal },
    "push",
  );
  if (answer.status !== 201 && answer.status !== 200) throw await client.failure(answer, endpoint, reference, "push");
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
  const { signal, onProgress } = request;
  const { digest, size: total } = desc;
  const head = await client.send(endpoint, `/blobs/${digest}`, { method: "HEAD", headers: {}, signal }, "push");
  await head.discard();
  if (head.status === 200) return onProgress?.({ digest, current: total, total, exists: true });
  const started = await startUpload(client, endpoint, request, desc);
  if (started === undefined) return onProgress?.({ digest, current: total, total, exists: true });
  let location = started;
  for (let attempt = 1; ; attempt++) {
    try {
      return await upload(client, endpoint, request, desc, location);
    } catch (error) {
      signal?.throwIfAborted();
      const again =
        error instanceof RegistryError && (error.code === "E_REGISTRY_UNREACHABLE" || (error.status ?? 0) >= 500);
      if (!again || attempt >= tries) throw error;
      // The stream went as far as it went: a new upload begins anew.
      location = (await startUpload(client, endpoint, request, desc)) ?? location;
    }
  }
}

/** Where to send the blob; undefined when the registry mounted it from another repository. */
async function startUpload(
  client: RegistryClient,
  endpoint: Endpoint,
  request: PushRequest,
  desc: Descriptor,
): Promise<string | undefined> {
  const { reference, signal, mountFrom = [] } = request;
  // Where the name is rewritten the others' names are not known.
  const rewritten = endpoint.repository !== reference.path;
  const [from] = rewritten ? [] : mountFrom.filter((path) => path !== reference.path);
  const query = from === undefined ? "" : `?mount=${desc.digest}&from=${encodeURIComponent(from)}`;
  const path = `/blobs/uploads/${query}`;
  const answer = await client.send(
    endpoint,
    path,
    { method: "POST", headers: { "content-length": "0" }, signal },
    "push",
  );
  if (answer.status === 201) {
    await answer.discard();
    return undefined;
  }
  const location = answer.header("location");
  if (answer.status !== 202 || location === undefined) throw await client.failure(answer, endpoint, reference, "push");
  await answer.discard();
  return redirected(location, answer.url);
}

async function upload(
  client: RegistryClient,
  endpoint: Endpoint,
  request: PushRequest,
  desc: Descriptor,
  location: string,
): Promise<void> {
  const { reference, manifest, signal } = request;
  const url = new URL(location);
  url.searchParams.set("digest", desc.digest);
  const isConfig = desc.digest === manifest.config.digest;
  const headers = { "content-type": "application/octet-stream", "content-length": String(desc.size) };
  const body = isConfig ? request.configBytes : counted(request, desc);
  const answer = await client.send(endpoint, url.href, { method: "PUT", headers, body, signal }, "push");
  if (answer.status !== 201 && answer.status !== 204) throw await client.failure(answer, endpoint, reference, "push");
  await answer.discard();
}

async function* counted(request: PushRequest, desc: Descriptor): AsyncGenerator<Uint8Array> {
  let current = 0;
  for await (const chunk of request.openBlob(desc)) {
    request.signal?.throwIfAborted();
    // Layers that are packed on the fly come in one buffer that is used again.
    yield Buffer.from(chunk);
    current += chunk.byteLength;
    request.onProgress?.({ digest: desc.digest, current, total: desc.size, exists: false });
  }
}

/** Repositories of the same registry among image names: what a push may mount layers from. */
export function mountSources(host: string, names: readonly string[]): readonly string[] {
  const paths = names.flatMap((name) => {
    try {
      const reference = parseReference(name);
      return reference.host === host ? [reference.path] : [];
    } catch {
      return [];
    }
  });
  return [...new Set(paths)];
}
