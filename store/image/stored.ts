import { TsbuildError } from "../../native/errors.ts";
import type { ImageConfig } from "../oci/config.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import type { Manifest } from "../oci/manifest.ts";
import { parseManifest, selectManifest } from "../oci/parse.ts";
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

/** Reads what a name points to; undefined when a document is missing or none is for the platform. */
export async function loadStored(
  store: { readonly content: Pick<Store["content"], "read"> },
  ref: Pick<ImageRef, "name" | "target">,
  platform: Platform = hostPlatform(),
): Promise<StoredImage | undefined> {
  const { name, target } = ref;
  const { content } = store;
  try {
    const top = parseManifest(await content.read(target), target.mediaType);
    const descriptor = top.kind === "index" ? selectManifest(top.index, platform, name) : target;
    const inner = top.kind === "index" ? parseManifest(await content.read(descriptor), descriptor.mediaType) : top;
    if (inner.kind === "index") return undefined;
    const config = parseConfig(await content.read(inner.manifest.config));
    return { name, target, descriptor, manifest: inner.manifest, config };
  } catch (error) {
    const expected = ["E_CONTENT_NOT_FOUND", "E_PLATFORM_MISSING"];
    if (error instanceof TsbuildError && expected.includes(error.code)) return undefined;
    throw error;
  }
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
