import { describe, expect, it } from "vitest";
import { manifestsOf } from "../../../store/oci/choose.ts";
import type { Descriptor } from "../../../store/oci/descriptor.ts";
import { digestOf, type Digest } from "../../../store/oci/digest.ts";
import { writeDocument, type Document } from "../../../store/oci/document.ts";
import type { Index } from "../../../store/oci/manifest.ts";
import { MediaType } from "../../../store/oci/mediatype.ts";

const image: Descriptor = { mediaType: MediaType.ociManifest, digest: digestOf("image"), size: 1 };

/** Indexes in indexes, so deep; each lists so many images beside the next. */
function nested(depth: number, images: number): Promise<readonly Descriptor[]> {
  const documents = new Map<Digest, Document<Index>>();
  let index: Index = { schemaVersion: 2, mediaType: MediaType.ociIndex, manifests: [] };
  for (let at = 0; at <= depth; at++) {
    const document = writeDocument(MediaType.ociIndex, index);
    documents.set(document.descriptor.digest, document);
    index = { ...index, manifests: [document.descriptor, ...Array.from({ length: images }, () => image)] };
  }
  return manifestsOf(
    {
      manifest: async ({ digest }) => {
        const found = documents.get(digest);
        return found && { kind: "index", ...found };
      },
    },
    index,
  );
}

describe("indexes in an index", () => {
  it("are looked into", async () => {
    expect(await nested(99, 3)).toHaveLength(300);
  });

  it.each([
    ["deep", 100, 0],
    ["wide", 19, 10_000],
  ])("that are too %s are refused", async (_, depth, images) => {
    await expect(nested(depth, images)).rejects.toMatchObject({ code: "E_MANIFEST_INVALID" });
  });
});
