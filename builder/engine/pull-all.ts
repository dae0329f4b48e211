import { pullIndex, RegistryClient } from "../../registry/index.ts";
import { checkDiffs, contentLayers } from "../../store/image/check-diffs.ts";
import { setName } from "../../store/image/names.ts";
import { loadManifest, loadStored, storedListing } from "../../store/image/stored.ts";
import { notAnImage } from "../../store/oci/artifact.ts";
import { isUnknown } from "../../store/oci/choose.ts";
import { imageID } from "../../store/oci/image.ts";
import { hostPlatform } from "../../store/oci/platform.ts";
import type { Digest } from "../../store/oci/digest.ts";
import { formatReference, parseReference } from "../../store/oci/reference.ts";
import type { Store } from "../../store/store.ts";
import type { EngineOptions } from "../options/options.ts";
import type { ImageProgress } from "../graph/image-progress.ts";
import type { ImageSource } from "../inputs/source/image/images.ts";

/**
 * Brings every platform and artifact of an image; the name is set when all of it is there, and its layers are what the
 * configs say. What is for this machine is unpacked. @throws RegistryError, E_LAYER_DIGEST_MISMATCH, E_NOT_AN_IMAGE
 */
export async function pullAll(
  store: Store,
  source: ImageSource,
  options: Pick<EngineOptions, "registry"> & {
    readonly image: string;
    readonly signal: AbortSignal;
    readonly progress: ImageProgress;
  },
): Promise<{ readonly name: string; readonly digest: Digest; readonly imageID: Digest }> {
  const { signal, progress } = options;
  const { content } = store;
  const reference = parseReference(options.image);
  const name = formatReference(reference);
  await using client = new RegistryClient(options.registry ?? {});
  const onProgress = (one: { digest: Digest; current: number; total: number }): void =>
    progress.layer({ ...one, phase: "download" });
  const { target } = await pullIndex(client, content, { reference, signal, onProgress });
  const layers = contentLayers(content);
  const check = { act: `pull ${options.image}`, known: new Map(), signal };
  const ref = { name, target };
  const listing = await storedListing(store, ref);
  for (const descriptor of listing.manifests) {
    const image = isUnknown(descriptor.platform) ? undefined : await loadManifest(store, listing, descriptor);
    if (image === undefined) continue;
    const { manifest, config } = image;
    await checkDiffs(layers, { layers: manifest.value.layers, diffs: config.value.rootfs.diff_ids }, check);
  }
  const own = await loadStored(store, ref, hostPlatform());
  if (own !== undefined) await source.unpack(own, progress.layer);
  const any = own ?? (await loadStored(store, ref));
  if (any === undefined) throw notAnImage(options.image, ["an index without images"]);
  setName(store, name, target);
  return { name, digest: target.digest, imageID: imageID(any) };
}
