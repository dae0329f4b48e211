import { TsbuildError } from "../../native/errors.ts";
import type { Platform } from "../../store/oci/platform.ts";
import { formatReference, parseReference } from "../../store/oci/reference.ts";
import type { ImageRef, Store } from "../../store/store.ts";
import { loadImage, type FoundImage } from "./images.ts";

const idPattern = /^(?:sha256:)?[0-9a-f]{2,64}$/;

/** An image of the store by name, by ID or by the beginning of an ID; undefined when there is none. @throws E_IMAGE_AMBIGUOUS */
export async function findStoredImage(store: Store, text: string, platform: Platform): Promise<FoundImage | undefined> {
  const named = nameOf(text);
  const ref = named === undefined ? undefined : store.refs.get(named);
  if (ref !== undefined) return await load(store, ref, platform);
  return idPattern.test(text) ? await findByID(store, text, platform) : undefined;
}

async function findByID(store: Store, text: string, platform: Platform): Promise<FoundImage | undefined> {
  const prefix = text.startsWith("sha256:") ? text : `sha256:${text}`;
  const found = new Map<string, FoundImage>();
  for (const ref of store.refs.list()) {
    const image = await load(store, ref, platform);
    const id = image?.manifest.config.digest;
    if (image !== undefined && id?.startsWith(prefix) === true) found.set(id, image);
  }
  if (found.size <= 1) return [...found.values()][0];
  throw new TsbuildError(`Cannot choose an image by ${text}: ${found.size} begin with it`, {
    code: "E_IMAGE_AMBIGUOUS",
    hint: "give more digits of the ID, or the name",
  });
}

async function load(store: Store, ref: ImageRef, platform: Platform): Promise<FoundImage | undefined> {
  const named = nameOf(ref.name);
  const reference = parseReference(named ?? "none");
  return await loadImage(store, { name: ref.name, reference, target: ref.target, platform });
}

function nameOf(text: string): string | undefined {
  try {
    return formatReference(parseReference(text));
  } catch {
    return undefined;
  }
}
