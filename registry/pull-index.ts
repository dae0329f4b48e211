import type { ContentStore } from "../store/content/store.ts";
import { checkBytes } from "../store/content/verify.ts";
import { manifestsOf } from "../store/oci/choose.ts";
import type { Descriptor } from "../store/oci/descriptor.ts";
import type { Digest } from "../store/oci/digest.ts";
import { parseManifest } from "../store/oci/parse.ts";
import type { Reference } from "../store/oci/reference.ts";
import type { FetchedManifest } from "./answers.ts";
import type { RegistryClient } from "./client.ts";
import { pullBlob, pullLayers, type PullProgress } from "./pull.ts";
import { once } from "../store/content/once.ts";

/** A name with everything that it leads to, in the content store. */
export interface PulledIndex {
  readonly target: Descriptor;
  /** Its manifests, those of artifacts as well. */
  readonly manifests: readonly Descriptor[];
}

/** Brings a name with every platform and artifact; the documents last. @throws RegistryError, E_MANIFEST_INVALID */
export async function pullIndex(
  client: RegistryClient,
  content: ContentStore,
  request: {
    readonly reference: Reference;
    readonly signal?: AbortSignal | undefined;
    readonly onProgress?: (progress: PullProgress) => void;
  },
): Promise<PulledIndex> {
  const { reference, signal } = request;
  const top = await client.manifest(reference, signal);
  const fetched = new Map<Digest, FetchedManifest>([[top.descriptor.digest, top]]);
  const fetch = async (desc: Descriptor): Promise<Uint8Array> => {
    const byDigest = { ...reference, tag: undefined, digest: desc.digest };
    const one = fetched.get(desc.digest) ?? (await client.manifest(byDigest, signal));
    checkBytes(desc, one.bytes);
    fetched.set(desc.digest, one);
    return one.bytes;
  };
  const parsed = parseManifest(top.bytes, top.descriptor.mediaType);
  const { mediaType } = parsed.kind === "index" ? parsed.index : parsed.manifest;
  const target = { ...top.descriptor, mediaType };
  const manifests = parsed.kind === "index" ? await manifestsOf({ manifest: fetch }, parsed.index) : [target];
  const layers: Descriptor[] = [];
  for (const one of manifests) {
    const found = parseManifest(await fetch(one), one.mediaType);
    if (found.kind === "index") continue;
    await pullBlob(client, content, reference, found.manifest.config, { signal });
    layers.push(...found.manifest.layers);
  }
  const { onProgress } = request;
  await pullLayers(client, content, { reference, layers, signal, ...(onProgress === undefined ? {} : { onProgress }) });
  for (const { descriptor, bytes } of fetched.values()) await content.push(descriptor, once(bytes));
  return { target, manifests };
}
