import { TsbuildError } from "../../native/errors.ts";
import { isUnknown, manifestsOf } from "../oci/choose.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { manifestDocument, type Document, type ManifestDocument } from "../oci/document.ts";
import { asDiffID, type Digest } from "../oci/digest.ts";
import type { Manifest } from "../oci/manifest.ts";
import { formatPlatform } from "../oci/platform.ts";
import type { Store } from "../store.ts";
import { storedDocuments } from "./stored.ts";

/** One manifest of an index, of an image or an artifact, with the config's bytes. */
export interface WholeManifest {
  readonly manifest: Document<Manifest>;
  readonly configBytes: Uint8Array;
}

/** An index as it is in the store: what is there with all its parts, and what is not. */
export interface StoredIndex {
  /** Those inside it first, itself last. */
  readonly indexes: readonly ManifestDocument[];
  readonly manifests: readonly WholeManifest[];
  readonly absent: readonly Descriptor[];
}

/** undefined: the target is no index. @throws E_CONTENT_NOT_FOUND, E_MANIFEST_INVALID */
export async function storedIndex(store: Store, target: Descriptor): Promise<StoredIndex | undefined> {
  const top = manifestDocument(target, await store.content.read(target));
  if (top.kind === "manifest") return undefined;
  const documents = storedDocuments(store);
  const indexes: ManifestDocument[] = [top];
  const absent: Descriptor[] = [];
  const listed = await manifestsOf(
    {
      manifest: async (descriptor) => {
        const found = await documents.manifest(descriptor);
        if (found === undefined) absent.push(descriptor);
        else indexes.unshift(found);
        return found;
      },
    },
    top.value,
  );
  const manifests = new Map<Digest, WholeManifest>();
  for (const descriptor of listed) {
    if (manifests.has(descriptor.digest)) continue;
    const whole = await wholeManifest(store, descriptor);
    if (whole === undefined) absent.push(descriptor);
    else manifests.set(descriptor.digest, whole);
  }
  return { indexes, manifests: [...manifests.values()], absent };
}

/** A manifest with all its parts; undefined: one of them is not there. */
async function wholeManifest(store: Store, descriptor: Descriptor): Promise<WholeManifest | undefined> {
  const documents = storedDocuments(store);
  const manifest = await documents.manifest(descriptor);
  if (manifest?.kind !== "manifest") return undefined;
  for (const layer of manifest.value.layers) if (!(await hasLayer(store, layer))) return undefined;
  const configBytes = await documents.config(manifest.value.config);
  return configBytes && { manifest, configBytes };
}

/** A plain layer that is unpacked can be packed again. */
async function hasLayer(store: Store, { digest }: Descriptor): Promise<boolean> {
  return (await store.content.stat(digest)) !== undefined || store.snapshots.withDiff(asDiffID(digest)) !== undefined;
}

/** What is not there, for people: `linux/arm64, an attestation`. */
function absentNames(absent: readonly Descriptor[]): string {
  const names = absent.map(({ platform, artifactType }) => {
    if (isUnknown(platform)) return "an attestation";
    return platform === undefined ? `an artifact (${artifactType ?? "unknown"})` : formatPlatform(platform);
  });
  return [...new Set(names)].join(", ");
}

/** @throws E_PLATFORM_MISSING */
export function absentPlatforms(text: string, absent: readonly Descriptor[], hint: string): TsbuildError {
  return new TsbuildError(`Cannot push ${text}: of its index the store does not have ${absentNames(absent)}`, {
    code: "E_PLATFORM_MISSING",
    hint,
  });
}
