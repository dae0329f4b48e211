import type { Descriptor } from "./descriptor.ts";
import { digestOf } from "./digest.ts";
import type { Index, Manifest } from "./manifest.ts";
import { parseManifest } from "./parse.ts";

/** A document as it is stored, and what it says: parsed once, its bytes kept. */
export interface Document<T> {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly value: T;
}

/** What a name stands for: one image or artifact, or an index of several. */
export type ManifestDocument =
  | ({ readonly kind: "manifest" } & Document<Manifest>)
  | ({ readonly kind: "index" } & Document<Index>);

/** The document that a descriptor names, of its bytes. @throws E_MANIFEST_INVALID */
export function manifestDocument(descriptor: Descriptor, bytes: Uint8Array): ManifestDocument {
  return { ...parseManifest(bytes, descriptor.mediaType), descriptor, bytes };
}

/** A new document: the same value has the same bytes. */
export function writeDocument<T>(mediaType: string, value: T): Document<T> {
  const bytes = Buffer.from(JSON.stringify(value));
  return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.byteLength }, bytes, value };
}
