import { TsbuildError } from "../../native/errors.ts";
import { isUnknown } from "../oci/choose.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { imageID } from "../oci/image.ts";
import { formatPlatform } from "../oci/platform.ts";
import { familiarName } from "../oci/reference.ts";
import type { ImageRef, Store } from "../store.ts";
import { imageSize } from "./list.ts";
import { danglingPrefix, loadManifest, storedListing, type StoredListing } from "./stored.ts";

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

/** Every name of the store, in their order, with its platforms; of one that nobody can read, none. */
export async function imageTrees(store: Store): Promise<readonly ImageTree[]> {
  const trees: ImageTree[] = [];
  for (const ref of store.refs.list()) {
    const { name, target } = ref;
    const platforms: PlatformImage[] = [];
    const listing = await readableListing(store, ref);
    for (const one of listing.manifests) {
      const image = await platformImage(store, listing, one);
      // An artifact beside the images, such as a signature, is for no platform.
      if (image.id !== undefined || one.platform !== undefined) platforms.push(image);
    }
    const shown = name.startsWith(danglingPrefix) ? undefined : familiarName(name);
    trees.push({ name: shown, digest: target.digest, platforms });
  }
  return trees;
}

async function readableListing(store: Store, ref: ImageRef): Promise<StoredListing> {
  try {
    const listing = await storedListing(store, ref);
    return { ...listing, manifests: listing.manifests.filter(({ platform }) => !isUnknown(platform)) };
  } catch (error) {
    if (error instanceof TsbuildError && error.code === "E_MANIFEST_INVALID") return { name: ref.name, manifests: [] };
    throw error;
  }
}

async function platformImage(store: Store, listing: StoredListing, descriptor: Descriptor): Promise<PlatformImage> {
  const image = await loadManifest(store, listing, descriptor);
  const platform = descriptor.platform ?? image?.config.value;
  return {
    platform: platform === undefined ? "unknown" : formatPlatform(platform),
    id: image === undefined ? undefined : imageID(image),
    size: image === undefined ? undefined : imageSize(store, image),
  };
}
