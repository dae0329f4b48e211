import { TsbuildError } from "../../native/errors.ts";
import type { ImageConfig } from "../oci/config.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { Index, Manifest } from "../oci/manifest.ts";
import { bestManifest, parseManifest } from "../oci/parse.ts";
import { parseConfig } from "../oci/parse-config.ts";
import { hostPlatform, type Platform } from "../oci/platform.ts";
import { formatReference, parseReference } from "../oci/reference.ts";
import type { ImageRef, Store } from "../store.ts";

/** An image of the store for one platform: documents parsed, layers by descriptor. */
export interface StoredImage {
  /** The normalised name it was found by, or that of an image without names. */
  readonly name: string;
  /** What the name points to: an index, or the manifest itself. */
  readonly target: Descriptor;
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}

/** Names that stand for no name begin so: they cannot be written as a reference. */
export const danglingPrefix = "<none>@";

/** The name that an image without names is kept under. */
export function danglingName(target: Descriptor): string {
  return `${danglingPrefix}${target.digest}`;
}

/** docker's image ID: the digest of the config. */
export function imageID(image: StoredImage): Digest {
  return image.manifest.config.digest;
}

/**
 * Reads what a name points to; undefined when a document is missing or none is for the platform. Without a platform it
 * is the machine's, else another one that is here.
 */
export async function loadStored(
  store: Documents,
  ref: NameAndTarget,
  platform?: Platform,
): Promise<StoredImage | undefined> {
  const { name, target } = ref;
  try {
    const top = parseManifest(await store.content.read(target), target.mediaType);
    const choices = top.kind === "index" ? choicesOf(top.index, platform) : [target];
    for (const descriptor of choices) {
      const image = await loadManifest(store, { name, target }, descriptor);
      if (image !== undefined) return image;
    }
    return undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

type Documents = { readonly content: Pick<Store["content"], "read"> };
type NameAndTarget = Pick<ImageRef, "name" | "target">;

/** One manifest of what a name points to; undefined when a document of it is missing. */
export async function loadManifest(
  { content }: Documents,
  { name, target }: NameAndTarget,
  descriptor: Descriptor,
): Promise<StoredImage | undefined> {
  try {
    const parsed = parseManifest(await content.read(descriptor), descriptor.mediaType);
    if (parsed.kind === "index") return undefined;
    const config = parseConfig(await content.read(parsed.manifest.config));
    return { name, target, descriptor, manifest: parsed.manifest, config };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function choicesOf(index: Index, platform: Platform | undefined): readonly Descriptor[] {
  const best = bestManifest(index, platform ?? hostPlatform());
  if (platform !== undefined) return best === undefined ? [] : [best];
  const others = index.manifests.filter((one) => one !== best && one.platform?.os !== "unknown");
  return best === undefined ? others : [best, ...others];
}

/** Whether a document is not in the store, or was damaged there. */
export function isMissing(error: unknown): boolean {
  return error instanceof TsbuildError && error.code === "E_CONTENT_NOT_FOUND";
}

/** Every image that can be read, one for each name. */
export async function allStored(store: Store, platform?: Platform): Promise<readonly StoredImage[]> {
  const found: StoredImage[] = [];
  for (const ref of store.refs.list()) {
    const image = await loadStored(store, ref, platform);
    if (image !== undefined) found.push(image);
  }
  return found;
}

const idPattern = /^(?:sha256:)?[0-9a-f]{2,64}$/;

/** An image by name, by ID or by the beginning of an ID; undefined when there is none. @throws E_IMAGE_AMBIGUOUS */
export async function findStored(store: Store, text: string, platform?: Platform): Promise<StoredImage | undefined> {
  const name = nameOf(text);
  const ref = name === undefined ? undefined : store.refs.get(name);
  if (ref !== undefined) return await loadStored(store, ref, platform);
  return idPattern.test(text) ? await findByID(store, text, platform) : undefined;
}

async function findByID(store: Store, text: string, platform: Platform | undefined): Promise<StoredImage | undefined> {
  const prefix = text.startsWith("sha256:") ? text : `sha256:${text}`;
  const found = new Map<Digest, StoredImage>();
  for (const image of await allStored(store, platform)) {
    if (imageID(image).startsWith(prefix) && !found.has(imageID(image))) found.set(imageID(image), image);
  }
  if (found.size <= 1) return [...found.values()][0];
  throw new TsbuildError(`Cannot choose an image by ${text}: ${found.size} begin with it`, {
    code: "E_IMAGE_AMBIGUOUS",
    hint: "give more digits of the ID, or the name",
  });
}

/** The normalised form of a name; undefined when the text is none. */
export function nameOf(text: string): string | undefined {
  try {
    return formatReference(parseReference(text));
  } catch {
    return undefined;
  }
}
