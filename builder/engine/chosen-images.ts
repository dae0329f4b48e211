import { TsbuildError } from "../../native/errors.ts";
import { danglingPrefix, loadStored } from "../../store/image/stored.ts";
import type { Digest } from "../../store/oci/digest.ts";
import { imageID, type Image } from "../../store/oci/image.ts";
import type { ImageRef, Store } from "../../store/store.ts";
import type { PruneOptions } from "../options/prune.ts";

/** A name that a prune means, and the ID of its image. */
export interface ChosenImage {
  readonly ref: ImageRef;
  readonly id: Digest;
}

/** Names of the images that are meant, whether or not somebody uses them. */
export async function chosenImages(store: Store, options: PruneOptions): Promise<readonly ChosenImage[]> {
  const { images = "dangling" } = options;
  if (images === "none") return [];
  const chosen: ChosenImage[] = [];
  for (const ref of store.refs.list()) {
    const isDangling = ref.name.startsWith(danglingPrefix);
    if (images !== "all" && isDangling !== (images === "dangling")) continue;
    const image = await loadIfReadable(store, ref);
    if (isMeant(options, ref, image))
      chosen.push({ ref, id: image === undefined ? ref.target.digest : imageID(image) });
  }
  return chosen;
}

function isMeant(
  { until, labels = [], notLabels = [] }: PruneOptions,
  ref: ImageRef,
  image: Image | undefined,
): boolean {
  const created = Date.parse(image?.config.value.created ?? "");
  if (until !== undefined && (Number.isNaN(created) ? ref.updated : created) >= until) return false;
  const own = image?.config.value.config?.Labels ?? {};
  const has = (label: string): boolean => {
    const [key = "", ...value] = label.split("=");
    return Object.hasOwn(own, key) && (value.length === 0 || own[key] === value.join("="));
  };
  return labels.every(has) && !notLabels.some(has);
}

/** What is no image, or is damaged, has no labels and no time of its own. */
async function loadIfReadable(store: Store, ref: ImageRef): Promise<Image | undefined> {
  try {
    return await loadStored(store, ref);
  } catch (error) {
    if (error instanceof TsbuildError) return undefined;
    throw error;
  }
}
