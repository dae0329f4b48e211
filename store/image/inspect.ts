import type { ContainerConfig, History } from "../oci/config.ts";
import { imageID, targetOf, type NamedImage } from "../oci/image.ts";
import type { Platform } from "../oci/platform.ts";
import { familiarName, parseReference } from "../oci/reference.ts";
import type { Store } from "../store.ts";
import { imageSize, layerSize } from "./list.ts";
import { requireStored } from "./missing.ts";
import { danglingPrefix } from "./stored.ts";

/** docker's `image inspect`, the fields that say something here. */
export interface InspectedImage {
  readonly Id: string;
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[];
  readonly Created: string;
  readonly Author: string;
  readonly Config: ContainerConfig;
  readonly Architecture: string;
  readonly Variant?: string;
  readonly Os: string;
  /** Bytes. */
  readonly Size: number;
  readonly RootFS: { readonly Type: "layers"; readonly Layers: readonly string[] };
  /** The manifest as stored. */
  readonly Descriptor: { readonly mediaType: string; readonly digest: string; readonly size: number };
}

/** @throws E_IMAGE_NOT_FOUND, E_IMAGE_AMBIGUOUS, E_PLATFORM_MISSING */
export async function inspectImage(store: Store, text: string, platform?: Platform): Promise<InspectedImage> {
  const image = await requireStored(store, text, platform);
  const config = image.config.value;
  const names = namesOf(store, image);
  const { mediaType, digest, size } = image.manifest.descriptor;
  return {
    Id: imageID(image),
    RepoTags: names.map(familiarName),
    RepoDigests: [...new Set(names.map((name) => `${familiarName(repository(name))}@${targetOf(image).digest}`))],
    Created: config.created ?? "",
    Author: config.author ?? "",
    Config: config.config ?? {},
    Architecture: config.architecture,
    ...(config.variant === undefined ? {} : { Variant: config.variant }),
    Os: config.os,
    Size: imageSize(store, image),
    RootFS: { Type: "layers", Layers: config.rootfs.diff_ids },
    Descriptor: { mediaType, digest, size },
  };
}

function namesOf(store: Store, image: NamedImage): readonly string[] {
  return store.refs
    .list()
    .filter(({ name, target }) => target.digest === targetOf(image).digest && !name.startsWith(danglingPrefix))
    .map(({ name }) => name);
}

function repository(name: string): string {
  const { host, path } = parseReference(name);
  return `${host}/${path}`;
}

/** One line of an image's history, newest first as docker shows them. */
export interface HistoryLine {
  readonly id: string;
  readonly created: string | undefined;
  readonly createdBy: string;
  /** Bytes of its layer, uncompressed where the store has it unpacked. */
  readonly size: number;
  readonly comment: string;
}

/** @throws E_IMAGE_NOT_FOUND, E_IMAGE_AMBIGUOUS, E_PLATFORM_MISSING */
export async function imageHistory(store: Store, text: string, platform?: Platform): Promise<readonly HistoryLine[]> {
  const image = await requireStored(store, text, platform);
  const { diff_ids: diffs } = image.config.value.rootfs;
  let layer = 0;
  const lines = (image.config.value.history ?? []).map((entry: History): HistoryLine => {
    const at = entry.empty_layer === true ? undefined : layer++;
    const diffID = at === undefined ? undefined : diffs[at];
    const stored = at === undefined ? undefined : image.manifest.value.layers[at];
    const known = diffID === undefined ? undefined : layerSize(store, diffID);
    return {
      id: "<missing>",
      created: entry.created,
      createdBy: entry.created_by ?? "",
      size: at === undefined ? 0 : (known ?? stored?.size ?? 0),
      comment: entry.comment ?? "",
    };
  });
  return lines.toReversed().map((line, at) => (at === 0 ? { ...line, id: imageID(image) } : line));
}
