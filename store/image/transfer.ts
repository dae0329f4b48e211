import { targetOf, type Image } from "../oci/image.ts";
import type { Platform } from "../oci/platform.ts";
import type { Store } from "../store.ts";
import { writeArchive, writeArchiveFile, type ArchivedImage, type ArchiveFormat } from "./archive-write.ts";
import { compressImage } from "./blob.ts";
import { storedIndex } from "./index-parts.ts";
import { requireStored } from "./missing.ts";
import { nameOf } from "./stored.ts";

/** An image as it goes into an archive: "docker" archives keep layers as they are, OCI ones have them compressed. */
export async function toArchived(
  store: Store,
  image: Image,
  options: {
    readonly format: ArchiveFormat;
    readonly names: readonly string[];
    readonly signal?: AbortSignal | undefined;
  },
): Promise<ArchivedImage> {
  const { format, names, signal } = options;
  if (format === "docker") return { image, names };
  return { image: await compressImage(store, image, signal), names };
}

/**
 * `save`: several images in one archive, to a file or a stream. An image given by its name is saved with it and with every
 * platform that is here, one given by its ID alone.
 * @throws E_IMAGE_NOT_FOUND, E_PLATFORM_MISSING, E_OUTPUT_FILE
 */
export async function saveImages(
  store: Store,
  images: readonly string[],
  options: {
    readonly format: ArchiveFormat;
    readonly to: { readonly file: string } | { readonly stream: NodeJS.WritableStream };
    /** Of images that have several, this one. */
    readonly platform?: Platform | undefined;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<void> {
  const { format, to, platform, signal } = options;
  const archived: ArchivedImage[] = [];
  for (const text of images) {
    const image = await requireStored(store, text, platform);
    const names = nameOf(text) === image.name ? [image.name] : [];
    const whole = platform === undefined && names.length > 0 ? await storedIndex(store, targetOf(image)) : undefined;
    archived.push({ ...(await toArchived(store, image, { format, names, signal })), whole });
  }
  if ("file" in to) await writeArchiveFile(store, archived, { format, file: to.file, signal });
  else await writeArchive(store, archived, { format, stream: to.stream, signal });
}
