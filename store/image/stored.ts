import { TsbuildError } from "../../native/errors.ts";
import { artifactType } from "../oci/artifact.ts";
import { chooseImage, imageOf, isUnknown, manifestsOf, type DocumentSource } from "../oci/choose.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { manifestDocument, type Document } from "../oci/document.ts";
import { imageID, type NamedImage } from "../oci/image.ts";
import type { Index } from "../oci/manifest.ts";
import { hostPlatform, type Platform } from "../oci/platform.ts";
import { familiarName, formatReference, parseReference } from "../oci/reference.ts";
import type { ImageRef, Store } from "../store.ts";

/** Names that stand for no name begin so: they cannot be written as a reference. */
export const danglingPrefix = "<none>@";

/** The name that an image without names is kept under. */
export function danglingName(target: Descriptor): string {
  return `${danglingPrefix}${target.digest}`;
}

/**
 * Reads what a name points to; undefined when a document is missing or none is for the platform. Without a platform it
 * is the machine's, else another one that is here. @throws E_NOT_AN_IMAGE, E_MANIFEST_INVALID, E_CONFIG_INVALID
 */
export async function loadStored(
  store: Documents,
  ref: NameAndTarget,
  platform?: Platform,
): Promise<NamedImage | undefined> {
  const source = storedDocuments(store);
  const request = { name: shownName(ref), platform: platform ?? hostPlatform() };
  try {
    const found = await chooseImage(source, ref.target, request);
    if (found !== undefined) return { name: ref.name, ...found };
  } catch (error) {
    if (!isDocumentError(error, ["E_PLATFORM_MISSING"])) throw error;
  }
  return platform === undefined ? await firstStored(store, ref) : undefined;
}

type Documents = { readonly content: Pick<Store["content"], "read"> };
type NameAndTarget = Pick<ImageRef, "name" | "target">;

/** The documents that are in the store. */
export function storedDocuments({ content }: Documents): DocumentSource {
  const read = async (desc: Descriptor): Promise<Uint8Array | undefined> => {
    try {
      return await content.read(desc);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  };
  return {
    manifest: async (desc) => {
      const bytes = await read(desc);
      return bytes && manifestDocument(desc, bytes);
    },
    config: read,
  };
}

/** The first image of an index that is here. */
async function firstStored(store: Documents, ref: NameAndTarget): Promise<NamedImage | undefined> {
  const listing = await storedListing(store, ref);
  for (const descriptor of listing.manifests) {
    const image = isUnknown(descriptor.platform) ? undefined : await loadManifest(store, listing, descriptor);
    if (image !== undefined) return image;
  }
  return undefined;
}

/** The manifests that a name leads to, those of artifacts as well, here or not. */
export interface StoredListing {
  readonly name: string;
  /** Without it the only manifest stands alone, or what the name points to is not here. */
  readonly index?: Document<Index>;
  readonly manifests: readonly Descriptor[];
}

/** @throws E_MANIFEST_INVALID */
export async function storedListing(store: Documents, { name, target }: NameAndTarget): Promise<StoredListing> {
  const source = storedDocuments(store);
  const top = await source.manifest(target);
  if (top === undefined) return { name, manifests: [] };
  if (top.kind === "manifest") return { name, manifests: [target] };
  return { name, index: top, manifests: await manifestsOf(source, top.value) };
}

/** One image of a listing; undefined when a document of it is missing or odd, or it is no image. */
export async function loadManifest(
  store: Documents,
  { name, index }: StoredListing,
  descriptor: Descriptor,
): Promise<NamedImage | undefined> {
  const source = storedDocuments(store);
  try {
    const manifest = await source.manifest(descriptor);
    if (manifest?.kind !== "manifest" || artifactType(manifest.value) !== undefined) return undefined;
    const image = await imageOf(source, manifest, index);
    return image && { name, ...image };
  } catch (error) {
    if (isDocumentError(error, unreadable)) return undefined;
    throw error;
  }
}

function shownName({ name, target }: NameAndTarget): string {
  return name.startsWith(danglingPrefix) ? target.digest : familiarName(name);
}

/** Codes of what others wrote and nobody can use. */
const unreadable = ["E_NOT_AN_IMAGE", "E_MANIFEST_INVALID", "E_CONFIG_INVALID", "E_SIZE_MISMATCH"];

function isDocumentError(error: unknown, codes: readonly string[]): boolean {
  return error instanceof TsbuildError && codes.includes(error.code);
}

/** As loadStored(); what cannot be used for whatever reason is not there. */
export async function loadUsable(
  store: Documents,
  ref: NameAndTarget,
  platform?: Platform,
): Promise<NamedImage | undefined> {
  try {
    return await loadStored(store, ref, platform);
  } catch (error) {
    if (isDocumentError(error, unreadable)) return undefined;
    throw error;
  }
}

/** Whether a document is not in the store, or was damaged there. */
export function isMissing(error: unknown): boolean {
  return error instanceof TsbuildError && error.code === "E_CONTENT_NOT_FOUND";
}

const idPattern = /^(?:sha256:)?[0-9a-f]{2,64}$/;

/** An image by name, by ID or by the beginning of an ID; undefined when there is none. @throws E_IMAGE_AMBIGUOUS */
export async function findStored(store: Store, text: string, platform?: Platform): Promise<NamedImage | undefined> {
  const name = nameOf(text);
  const ref = name === undefined ? undefined : store.refs.get(name);
  if (ref !== undefined) return await loadStored(store, ref, platform);
  return idPattern.test(text) ? await findByID(store, text, platform) : undefined;
}

async function findByID(store: Store, text: string, platform: Platform | undefined): Promise<NamedImage | undefined> {
  const found = new Map<Digest, NamedImage>();
  for (const ref of store.refs.list()) {
    for (const image of await imagesOf(store, ref, platform))
      if (isPrefix(text, imageID(image)) && !found.has(imageID(image))) found.set(imageID(image), image);
  }
  if (found.size <= 1) return [...found.values()][0];
  throw new TsbuildError(`Cannot choose an image by ${text}: ${found.size} begin with it`, {
    code: "E_IMAGE_AMBIGUOUS",
    hint: "give more digits of the ID, or the name",
  });
}

/** The images that a name stands for and that can be used: of one platform, or all. */
async function imagesOf(store: Store, ref: NameAndTarget, platform?: Platform): Promise<readonly NamedImage[]> {
  const chosen = await loadUsable(store, ref, platform);
  if (chosen?.index === undefined || platform !== undefined) return chosen === undefined ? [] : [chosen];
  const images = [chosen];
  const listing = await storedListing(store, ref);
  for (const descriptor of listing.manifests) {
    const image = isUnknown(descriptor.platform) ? undefined : await loadManifest(store, listing, descriptor);
    if (image !== undefined) images.push(image);
  }
  return images;
}

/** Whether the text is the beginning of a digest, which may be written without its algorithm. */
export function isPrefix(text: string, digest: Digest): boolean {
  return idPattern.test(text) && digest.startsWith(text.startsWith("sha256:") ? text : `sha256:${text}`);
}

/** The normalised form of a name; undefined when the text is none. */
export function nameOf(text: string): string | undefined {
  try {
    return formatReference(parseReference(text));
  } catch {
    return undefined;
  }
}
