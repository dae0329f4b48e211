import type { Descriptor } from "../../store/oci/descriptor.ts";
import type { Document } from "../../store/oci/document.ts";
import type { Reference } from "../../store/oci/reference.ts";
import type { RegistryClient } from "../client/client.ts";
import { putDocument, pushImage, type PushRequest } from "./push.ts";

/** What is pushed of an index: every document as it was got. */
export interface IndexPushRequest extends Pick<
  PushRequest,
  "reference" | "openBlob" | "mountFrom" | "signal" | "onProgress"
> {
  readonly manifests: readonly Pick<PushRequest, "manifest" | "configBytes">[];
  /** Those inside first; the last one gets the tag. */
  readonly indexes: readonly Pick<Document<unknown>, "descriptor" | "bytes">[];
}

/** Those of the documents that the registry does not have in the repository. @throws RegistryError */
export async function missingManifests(
  client: RegistryClient,
  reference: Reference,
  documents: readonly Descriptor[],
  signal?: AbortSignal,
): Promise<readonly Descriptor[]> {
  if (documents.length === 0) return [];
  const endpoint = await client.originEndpoint(reference, signal);
  const missing: Descriptor[] = [];
  for (const one of documents) {
    const headers = { accept: one.mediaType };
    const at = `/manifests/${one.digest}`;
    const { answer } = await client.send(endpoint, { method: "HEAD", at, access: "push", headers, signal });
    await answer.discard();
    if (answer.status !== 200) missing.push(one);
  }
  return missing;
}

/** Pushes every image of an index, then the index, so that a reader sees all of it or nothing. @throws RegistryError */
export async function pushIndex(client: RegistryClient, request: IndexPushRequest): Promise<Descriptor | undefined> {
  const { reference, manifests, indexes, ...rest } = request;
  const untagged = { ...reference, tag: undefined };
  for (const one of manifests) await pushImage(client, { ...rest, ...one, reference: untagged });
  const endpoint = await client.originEndpoint(reference, rest.signal);
  const top = indexes.at(-1)?.descriptor;
  for (const document of indexes) {
    const name = document.descriptor === top ? reference : untagged;
    await putDocument(client, endpoint, { reference: name, document, signal: rest.signal });
  }
  return top;
}
