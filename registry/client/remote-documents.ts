import { once } from "../../store/content/once.ts";
import type { ContentStore } from "../../store/content/store.ts";
import { checkBytes } from "../../store/content/verify.ts";
import type { Descriptor } from "../../store/oci/descriptor.ts";
import type { Digest } from "../../store/oci/digest.ts";
import { manifestDocument, type ManifestDocument } from "../../store/oci/document.ts";
import type { Reference } from "../../store/oci/reference.ts";
import type { RegistryClient } from "./client.ts";

/** Manifests and indexes of a repository, each fetched and parsed once. */
export class RemoteDocuments {
  readonly #client: RegistryClient;
  readonly #reference: Reference;
  readonly #signal: AbortSignal | undefined;
  readonly #fetched = new Map<Digest, ManifestDocument>();

  constructor(client: RegistryClient, reference: Reference, signal: AbortSignal | undefined) {
    this.#client = client;
    this.#reference = reference;
    this.#signal = signal;
  }

  /** What the name stands for, with the type that it says it has: the server's may be any. @throws RegistryError */
  async top(): Promise<ManifestDocument> {
    const { descriptor, bytes } = await this.#client.manifest(this.#reference, this.#signal);
    const found = manifestDocument(descriptor, bytes);
    const top = { ...found, descriptor: { ...descriptor, mediaType: found.value.mediaType } };
    this.#fetched.set(descriptor.digest, top);
    return top;
  }

  /** @throws RegistryError, E_DIGEST_MISMATCH, E_SIZE_MISMATCH, E_MANIFEST_INVALID */
  async manifest(desc: Descriptor): Promise<ManifestDocument> {
    const known = this.#fetched.get(desc.digest);
    const byDigest = { ...this.#reference, tag: undefined, digest: desc.digest };
    const { bytes } = known ?? (await this.#client.manifest(byDigest, this.#signal));
    checkBytes(desc, bytes);
    const document = known ?? manifestDocument(desc, bytes);
    this.#fetched.set(desc.digest, document);
    return document;
  }

  /** Brings all that was fetched into a store. */
  async store(content: ContentStore): Promise<void> {
    for (const { descriptor, bytes } of this.#fetched.values()) await content.push(descriptor, once(bytes));
  }
}
