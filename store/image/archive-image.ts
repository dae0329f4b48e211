import type { Descriptor } from "../oci/descriptor.ts";
import type { Image } from "../oci/image.ts";

/** What one or several names of an archive stand for. */
export interface ArchiveImage {
  /** The index or the manifest. */
  readonly target: Descriptor;
  /** Normalised. */
  readonly names: readonly string[];
  /** One for each platform that is there; at least one. */
  readonly images: readonly Image[];
  /** Every blob that belongs to it, the documents last. */
  readonly parts: readonly Descriptor[];
}
