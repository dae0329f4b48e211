import { createHash } from "node:crypto";
import { TsbuildError } from "../../native/errors.ts";
import { gzip } from "../layer/gzip.ts";
import { layerTar } from "../layer/finish.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { asDiffID, type DiffID } from "../oci/digest.ts";
import type { Image } from "../oci/image.ts";
import { MediaType } from "../oci/mediatype.ts";
import { withLayers } from "../oci/mutate.ts";
import { comparedDirs, type Snapshot } from "../snapshot/snapshotter.ts";
import type { Store } from "../store.ts";

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

/**
 * The image with every plain layer gzipped into the content store; a layer is compressed once. Its manifest is new
 * where a layer was, its config never. One of an index stays what the index says.
 */
export async function compressImage(store: Store, image: Image, signal: AbortSignal | undefined): Promise<Image> {
  if (image.index !== undefined) return image;
  const layers: Descriptor[] = [];
  for (const layer of image.manifest.value.layers) {
    signal?.throwIfAborted();
    layers.push(layer.mediaType === MediaType.ociLayer ? await compressLayer(store, layer) : layer);
  }
  return withLayers(image, layers);
}

async function compressLayer(store: Store, layer: Descriptor): Promise<Descriptor> {
  const known = store.compressed.get(layer.digest, MediaType.ociLayerGzip);
  if (known !== undefined && (await store.content.stat(known.digest)) !== undefined) return known;
  const digest = await store.content.put(gzip(openBlob(store, layer)));
  const compressed: Descriptor = { mediaType: MediaType.ociLayerGzip, ...digest };
  store.compressed.set(layer.digest, compressed);
  return compressed;
}
