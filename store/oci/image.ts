import type { ImageConfig } from "./config.ts";
import type { Descriptor } from "./descriptor.ts";
import type { Digest } from "./digest.ts";
import type { Document } from "./document.ts";
import type { Index, Manifest } from "./manifest.ts";
import type { Platform } from "./platform.ts";

/** One image, for one platform: its documents, as they are stored. */
export interface Image {
  /** What lists it, whole: other platforms that it has may be absent. Without it the image stands alone. */
  readonly index?: Document<Index>;
  readonly manifest: Document<Manifest>;
  readonly config: Document<ImageConfig>;
}

/** An image and what it was found by: a normalised name, or what stands for that of an image without names. */
export interface NamedImage extends Image {
  readonly name: string;
}

/** What a name of the image points to: its index, or the manifest itself. */
export function targetOf({ index, manifest }: Image): Descriptor {
  return index?.descriptor ?? manifest.descriptor;
}

/** docker's image ID: the digest of the config. */
export function imageID({ config }: Image): Digest {
  return config.descriptor.digest;
}

/** What the image says that it is for. */
export function platformOf({ config }: Image): Platform {
  const { os, architecture, variant } = config.value;
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}
