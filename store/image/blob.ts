import { createHash } from "node:crypto";
import { TsbuildError } from "../../native/errors.ts";
import { gzip } from "../layer/gzip.ts";
import { layerTar } from "../layer/finish.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { asDiffID, digestOf, type DiffID } from "../oci/digest.ts";
import type { Manifest } from "../oci/manifest.ts";
import { MediaType } from "../oci/mediatype.ts";
import { comparedDirs, type Snapshot } from "../snapshot/snapshotter.ts";
import type { Store } from "../store.ts";
import type { StoredImage } from "./stored.ts";

/**
 * A layer's bytes: the blob where there is one, else the tar packed again from the layer's directory, which is checked
 * to be what its name says. @throws E_CONTENT_NOT_FOUND, E_LAYER_DIGEST_MISMATCH
 */
export async function* openBlob(store: Store, desc: Descriptor): AsyncGenerator<Uint8Array> {
  if ((await store.content.stat(desc.digest)) !== undefined) return yield* store.content.fetch(desc);
  const snapshot = store.snapshots.withDiff(asDiffID(desc.digest));
  if (snapshot === undefined) {
    throw new TsbuildError(`Cannot read layer ${desc.digest}: it is not in the store`, {
      code: "E_CONTENT_NOT_FOUND",
      hint: "pull or build the image again",
    });
  }
  yield* packAgain(store, snapshot, asDiffID(desc.digest));
}

async function* packAgain(store: Store, snapshot: Snapshot, diffID: DiffID): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  const epoch = store.snapshots.identity(snapshot)?.epoch;
  const lowers = comparedDirs(snapshot);
  for (const chunk of layerTar({ directory: snapshot.dir, lowers, ...(epoch === undefined ? {} : { epoch }) })) {
    hash.update(chunk);
    yield chunk;
  }
  if (`sha256:${hash.digest("hex")}` === diffID) return;
  throw new TsbuildError(`Cannot pack layer ${diffID}: its directory has changed`, {
    code: "E_LAYER_DIGEST_MISMATCH",
    hint: "something else wrote into the store: build the image again with --no-cache",
  });
}

/** An image whose layers are all compressed, as it leaves the store. */
export interface PortableImage {
  readonly manifest: Manifest;
  readonly descriptor: Descriptor;
  readonly manifestBytes: Buffer;
  readonly configBytes: Uint8Array;
}

/**
 * The image with every plain layer gzipped into the content store; a layer is compressed once. Its manifest is new
 * where a layer was, its config never. One of an index stays what the index says.
 */
export async function compressImage(
  store: Store,
  image: StoredImage,
  options: { readonly signal?: AbortSignal } = {},
): Promise<PortableImage> {
  const layers: Descriptor[] = [];
  const listed = image.target.digest !== image.descriptor.digest;
  for (const layer of image.manifest.layers) {
    options.signal?.throwIfAborted();
    layers.push(!listed && layer.mediaType === MediaType.ociLayer ? await compressLayer(store, layer) : layer);
  }
  const manifest: Manifest = { ...image.manifest, layers };
  const manifestBytes = Buffer.from(JSON.stringify(manifest));
  const configBytes = await store.content.read(image.manifest.config);
  const same = layers.every((layer, at) => layer === image.manifest.layers[at]);
  if (same) {
    const bytes = Buffer.from(await store.content.read(image.descriptor));
    return { manifest: image.manifest, descriptor: image.descriptor, manifestBytes: bytes, configBytes };
  }
  const descriptor = { mediaType: manifest.mediaType, digest: digestOf(manifestBytes), size: manifestBytes.byteLength };
  return { manifest, descriptor, manifestBytes, configBytes };
}

async function compressLayer(store: Store, layer: Descriptor): Promise<Descriptor> {
  const known = store.compressed.get(layer.digest, MediaType.ociLayerGzip);
  if (known !== undefined && (await store.content.stat(known.digest)) !== undefined) return known;
  const digest = await store.content.put(gzip(openBlob(store, layer)));
  const compressed: Descriptor = { mediaType: MediaType.ociLayerGzip, ...digest };
  store.compressed.set(layer.digest, compressed);
  return compressed;
}
