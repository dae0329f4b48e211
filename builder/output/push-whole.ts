import { missingManifests, pushIndex, type IndexPushRequest, type RegistryClient } from "../../registry/index.ts";
import { absentPlatforms, type StoredIndex } from "../../store/image/index-parts.ts";
import { danglingPrefix } from "../../store/image/stored.ts";
import type { Descriptor } from "../../store/oci/descriptor.ts";
import { platformOf, targetOf, type NamedImage } from "../../store/oci/image.ts";
import { formatPlatform } from "../../store/oci/platform.ts";
import { familiarName, formatReference } from "../../store/oci/reference.ts";
import type { Store } from "../../store/store.ts";

/** What is pushed of an index, and how. */
export interface WholePush extends Omit<IndexPushRequest, "manifests" | "indexes"> {
  readonly image: NamedImage;
  readonly index: StoredIndex;
}

/**
 * Pushes an index with every platform, each document as it came. What the store does not have the registry may: a name
 * is given to what it has already then. @throws RegistryError, E_PLATFORM_MISSING before anything is sent
 */
export async function pushWhole(store: Store, client: RegistryClient, request: WholePush): Promise<Descriptor> {
  const { image, index, ...way } = request;
  const missing = await missingManifests(client, way.reference, index.absent, way.signal);
  if (missing.length > 0)
    throw absentPlatforms(familiarName(formatReference(way.reference)), missing, advice(store, image));
  return (await pushIndex(client, { ...way, ...index })) ?? targetOf(image);
}

/** The rest of the image is where its other name is, if it has one. */
function advice(store: Store, image: NamedImage): string {
  const { name } = image;
  const names = store.refs
    .list()
    .filter((ref) => ref.target.digest === targetOf(image).digest && !ref.name.startsWith(danglingPrefix));
  const origin = familiarName(names.find((ref) => ref.name !== name)?.name ?? name);
  const one = `tsbuild push --platform ${formatPlatform(platformOf(image))} ${familiarName(name)}`;
  return `fetch the rest: tsbuild pull --all-platforms ${origin}\nor push this platform alone: ${one}`;
}
