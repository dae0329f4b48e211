import { TsbuildError } from "../../native/errors.ts";
import type { Digest } from "../oci/digest.ts";
import { MediaType } from "../oci/mediatype.ts";
import { parseReference, type Reference } from "../oci/reference.ts";
import type { ImageRef, Store } from "../store.ts";
import { danglingPrefix, loadManifest, storedListing } from "./stored.ts";

/**
 * The repository of a registry that each layer came from, by the layer's digest: of all names of the store that have it
 * the one whose image has the fewest layers, for others are built on it. `reference`: that one itself is none.
 */
export async function layerOrigins(store: Store, { host, path }: Reference): Promise<ReadonlyMap<Digest, string>> {
  const origins = new Map<Digest, { readonly path: string; readonly height: number }>();
  for (const ref of store.refs.list()) {
    const from = ref.name.startsWith(danglingPrefix) ? undefined : parseReference(ref.name);
    if (from?.host !== host || from.path === path) continue;
    for (const layers of await layersOf(store, ref)) {
      for (const layer of layers) {
        const known = origins.get(layer);
        if (known === undefined || known.height > layers.length)
          origins.set(layer, { path: from.path, height: layers.length });
      }
    }
  }
  return new Map([...origins].map(([digest, origin]) => [digest, origin.path]));
}

/** The layers of each image of a name, also as they were compressed for a push; what cannot be read has none. */
async function layersOf(store: Store, ref: ImageRef): Promise<readonly (readonly Digest[])[]> {
  try {
    const found: Digest[][] = [];
    const listing = await storedListing(store, ref);
    for (const descriptor of listing.manifests) {
      const image = await loadManifest(store, listing, descriptor);
      found.push((image?.manifest.value.layers ?? []).map(({ digest }) => sentAs(store, digest)));
    }
    return found;
  } catch (error) {
    if (error instanceof TsbuildError) return [];
    throw error;
  }
}

function sentAs(store: Store, digest: Digest): Digest {
  return store.compressed.get(digest, MediaType.ociLayerGzip)?.digest ?? digest;
}
