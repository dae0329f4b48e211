import type { ImageConfig } from "./config.ts";
import type { Descriptor } from "./descriptor.ts";
import { writeDocument, type Document } from "./document.ts";
import type { Image } from "./image.ts";
import type { Manifest } from "./manifest.ts";
import { MediaType } from "./mediatype.ts";

/** An image of a config and the layers that it names. @see image-spec manifest.md */
export function newImage(config: Document<ImageConfig>, layers: readonly Descriptor[]): Image {
  const value: Manifest = { schemaVersion: 2, mediaType: MediaType.ociManifest, config: config.descriptor, layers };
  return { manifest: writeDocument(value.mediaType, value), config };
}

/**
 * The image with its layers in another form, such as compressed; their tars are the same, and so is the config. It stands
 * alone then, for no index lists it. The same layers give the same image.
 */
export function withLayers(image: Image, layers: readonly Descriptor[]): Image {
  const { manifest, config } = image;
  if (layers.length === manifest.value.layers.length && layers.every((one, at) => one === manifest.value.layers[at]))
    return image;
  const value = { ...manifest.value, layers };
  return { manifest: writeDocument(value.mediaType, value), config };
}
