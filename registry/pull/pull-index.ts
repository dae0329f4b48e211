import type { ContentStore } from "../../store/content/store.ts";
import { manifestsOf } from "../../store/oci/choose.ts";
import type { Descriptor } from "../../store/oci/descriptor.ts";
import type { Reference } from "../../store/oci/reference.ts";
import type { RegistryClient } from "../client/client.ts";
import { pullBlob, pullLayers, type PullProgress } from "./pull.ts";
import { RemoteDocuments } from "../client/remote-documents.ts";

/** Brings a name with every platform and artifact; the documents last. @throws RegistryError, E_MANIFEST_INVALID */
export async function pullIndex(
  client: RegistryClient,
  content: ContentStore,
  request: {
    readonly reference: Reference;
    readonly signal?: AbortSignal | undefined;
    readonly onProgress?: (progress: PullProgress) => void;
  },
): Promise<{ readonly target: Descriptor }> {
  const { reference, signal } = request;
  const documents = new RemoteDocuments(client, reference, signal);
  const top = await documents.top();
  const target = top.descriptor;
  const manifests = top.kind === "index" ? await manifestsOf(documents, top.value) : [target];
  const layers: Descriptor[] = [];
  for (const one of manifests) {
    const found = await documents.manifest(one);
    if (found.kind === "index") continue;
    await pullBlob(client, content, reference, found.value.config, { signal });
    layers.push(...found.value.layers);
  }
  const { onProgress } = request;
  await pullLayers(client, content, { reference, layers, signal, ...(onProgress === undefined ? {} : { onProgress }) });
  await documents.store(content);
  return { target };
}
