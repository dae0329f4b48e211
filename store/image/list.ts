import { familiarName } from "../oci/reference.ts";
import type { Digest, DiffID } from "../oci/digest.ts";
import { imageID, type Image, type NamedImage } from "../oci/image.ts";
import type { Store } from "../store.ts";
import { danglingPrefix, loadUsable } from "./stored.ts";

/** One image of a listing; an image with several names is listed once, with all of them. */
export interface ListedImage {
  readonly id: Digest;
  readonly manifest: Digest;
  /** As people write them: `debian:12`; empty for an image without names. */
  readonly names: readonly string[];
  /** RFC 3339; undefined when the image does not say. */
  readonly created: string | undefined;
  /** Bytes of its layers: unpacked where they are, else as stored. */
  readonly size: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** Every image of the store, the newest first, and at the end the names whose documents nobody can use. */
export async function listImages(store: Store): Promise<readonly ListedImage[]> {
  const groups = new Map<Digest, NamedImage[]>();
  const unusable = new Map<Digest, string[]>();
  for (const ref of store.refs.list()) {
    const image = await loadUsable(store, ref);
    if (image === undefined) addTo(unusable, ref.target.digest, ref.name);
    else addTo(groups, image.manifest.descriptor.digest, image);
  }
  const listed = [...groups.values()].flatMap((group) => describe(store, group));
  const newest = listed.toSorted((a, b) => (b.created ?? "").localeCompare(a.created ?? ""));
  const rest = [...unusable].map(([id, names]): ListedImage => {
    return { id, manifest: id, names: shownNames(names), created: undefined, size: 0, labels: {} };
  });
  return [...newest, ...rest];
}

function addTo<T>(groups: Map<Digest, T[]>, key: Digest, one: T): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [one]);
  else group.push(one);
}

function shownNames(names: readonly string[]): readonly string[] {
  return names.flatMap((name) => (name.startsWith(danglingPrefix) ? [] : [familiarName(name)]));
}

function describe(store: Store, group: readonly NamedImage[]): readonly ListedImage[] {
  const [image] = group;
  if (image === undefined) return [];
  const names = shownNames(group.map(({ name }) => name));
  const { created, config } = image.config.value;
  return [
    {
      id: imageID(image),
      manifest: image.manifest.descriptor.digest,
      names,
      created,
      size: imageSize(store, image),
      labels: config?.Labels ?? {},
    },
  ];
}

/** Bytes of a layer's tar; undefined when it is not unpacked here. */
export function layerSize(store: Store, diffID: DiffID): number | undefined {
  const snapshot = store.snapshots.withDiff(diffID);
  return snapshot === undefined ? undefined : store.snapshots.identity(snapshot)?.size;
}

/** Bytes of an image's layers, uncompressed where the store has them unpacked. */
export function imageSize(store: Store, image: Image): number {
  const { diff_ids: diffs } = image.config.value.rootfs;
  return image.manifest.value.layers.reduce((sum, layer, at) => {
    const diffID = diffs[at];
    const known = diffID === undefined ? undefined : layerSize(store, diffID);
    return sum + (known ?? layer.size);
  }, 0);
}
