import { describe, expect, it } from "vitest";
import type { ImageConfig } from "../../../store/oci/config.ts";
import type { Descriptor } from "../../../store/oci/descriptor.ts";
import { asDiffID, digestOf } from "../../../store/oci/digest.ts";
import { manifestDocument, writeDocument } from "../../../store/oci/document.ts";
import { imageID, targetOf } from "../../../store/oci/image.ts";
import { MediaType } from "../../../store/oci/mediatype.ts";
import { newImage, withLayers } from "../../../store/oci/mutate.ts";

const diffID = asDiffID(digestOf("layer"));
const value: ImageConfig = { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [diffID] } };
const plain: Descriptor = { mediaType: MediaType.ociLayer, digest: diffID, size: 5 };
const gzipped: Descriptor = { mediaType: MediaType.ociLayerGzip, digest: digestOf("gz"), size: 2 };

describe("an image made of a config and layers", () => {
  const image = newImage(writeDocument(MediaType.ociConfig, value), [plain]);

  it("has a manifest whose bytes say what its value says, under their digest", () => {
    const { manifest } = image;
    expect(manifest.descriptor.digest).toBe(digestOf(manifest.bytes));
    expect(manifestDocument(manifest.descriptor, manifest.bytes)).toMatchObject({ kind: "manifest" });
    expect(manifestDocument(manifest.descriptor, manifest.bytes).value).toEqual(manifest.value);
    expect(targetOf(image)).toBe(manifest.descriptor);
  });

  it("keeps its ID with its layers in another form, and what else its manifest says", () => {
    const { manifest, config } = image;
    const noted = {
      ...image,
      manifest: writeDocument(MediaType.ociManifest, { ...manifest.value, annotations: { a: "b" } }),
    };
    const sent = withLayers(noted, [gzipped]);
    expect(imageID(sent)).toBe(imageID(image));
    expect(sent.config).toBe(config);
    expect(sent.manifest.value).toMatchObject({ annotations: { a: "b" }, layers: [gzipped] });
    expect(sent.manifest.descriptor.digest).not.toBe(noted.manifest.descriptor.digest);
  });

  it("is itself with the layers that it has, and of no index with others", () => {
    const index = writeDocument(MediaType.ociIndex, {
      schemaVersion: 2 as const,
      mediaType: MediaType.ociIndex,
      manifests: [image.manifest.descriptor],
    });
    const listed = { ...image, index };
    expect(withLayers(listed, [plain])).toBe(listed);
    expect(targetOf(listed)).toBe(index.descriptor);
    expect(withLayers(listed, [gzipped]).index).toBeUndefined();
  });
});
