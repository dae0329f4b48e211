import type { ImageConfig } from "../../store/oci/config.ts";
import { digestOf } from "../../store/oci/digest.ts";
import { writeDocument } from "../../store/oci/document.ts";
import type { NamedImage } from "../../store/oci/image.ts";
import { MediaType } from "../../store/oci/mediatype.ts";
import { newImage } from "../../store/oci/mutate.ts";

/** An image for who looks at documents only. The digest of its manifest is that of its name, whatever the config says. */
export function namedImage(name: string, config: ImageConfig): NamedImage {
  const image = newImage(writeDocument(MediaType.ociConfig, config), []);
  const descriptor = { ...image.manifest.descriptor, digest: digestOf(name) };
  return { name, ...image, manifest: { ...image.manifest, descriptor } };
}
