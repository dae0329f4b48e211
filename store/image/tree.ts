import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { Index } from "../oci/manifest.ts";
import { parseManifest } from "../oci/parse.ts";
import { formatPlatform } from "../oci/platform.ts";
import { familiarName } from "../oci/reference.ts";
import type { ImageRef, Store } from "../store.ts";
import { imageSize } from "./list.ts";
import { danglingPrefix, imageID, loadManifest } from "./stored.ts";

/** A name with the images that it stands for, one for each platform. */
export interface ImageTree {
  /** As people write it; undefined: the image has none. */
  readonly name: string | undefined;
  /** Of the index, or of the only manifest. */
  readonly digest: Digest;
  readonly platforms: readonly PlatformImage[];
}

/** One platform of an image; without `id` and `size` its documents are not in the store. */
export interface PlatformImage {
  readonly platform: string;
  readonly id: Digest | undefined;
  /** Bytes of its layers, as ListedImage has them. */
  readonly size: number | undefined;
}

/** Every name of the store, in their order, with its platforms. @throws E_MANIFEST_INVALID, E_CONFIG_INVALID */
export async function imageTrees(store: Store): Promise<readonly ImageTree[]> {
  const trees: ImageTree[] = [];
  for (const ref of store.refs.list()) {
    const { name, target } = ref;
    const platforms: PlatformImage[] = [];
    for (const one of await manifestsOf(store, target)) platforms.push(await platformImage(store, ref, one));
    const shown = name.startsWith(danglingPrefix) ? undefined : familiarName(name);
    trees.push({ name: shown, digest: target.digest, platforms });
  }
  return trees;
}

async function manifestsOf(store: Store, target: Descriptor): Promise<Index["manifests"]> {
  if ((await store.content.stat(target.digest)) === undefined) return [];
  const parsed = parseManifest(await store.content.read(target), target.mediaType);
  return parsed.kind === "index"
    ? parsed.index.manifests.filter(({ platform }) => platform?.os !== "unknown")
    : [target];
}

async function platformImage(store: Store, ref: ImageRef, descriptor: Descriptor): Promise<PlatformImage> {
  const image = await loadManifest(store, ref, descriptor);
  const platform = descriptor.platform ?? image?.config;
  return {
    platform: platform === undefined ? "unknown" : formatPlatform(platform),
    id: image === undefined ? undefined : imageID(image),
    size: image === undefined ? undefined : imageSize(store, image),
  };
}
