import { createHash } from "node:crypto";
import { TsbuildError } from "../../native/errors.ts";
import { decompress } from "../layer/compression.ts";
import type { ImageDocuments } from "../oci/choose.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { splitDigest, type Digest, type DiffID } from "../oci/digest.ts";
import { archiveError } from "./archive-error.ts";
import type { StagedBlobs } from "./staged.ts";

/** What one or several names of an archive stand for. */
export interface ArchiveImage {
  /** The index or the manifest. */
  readonly target: Descriptor;
  /** Normalised. */
  readonly names: readonly string[];
  /** One for each platform that is there; at least one. */
  readonly images: readonly ImageDocuments[];
  /** Every blob that belongs to it, the documents last. */
  readonly parts: readonly Descriptor[];
}

/** Digests of layers' tars that were computed already, by the digest of the layer. */
export type KnownDiffs = Map<Digest, string>;

/** Whether an image's layers are those that its config names. @throws E_LAYER_DIGEST_MISMATCH, E_ARCHIVE_INVALID */
export async function checkDiffs(
  staged: StagedBlobs,
  { manifest, config }: ImageDocuments,
  { known, signal }: { readonly known: KnownDiffs; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const { diff_ids: diffs } = config.value.rootfs;
  const { layers } = manifest.value;
  if (diffs.length !== layers.length)
    throw archiveError(`an image has ${layers.length} layers, and its config says ${diffs.length}`);
  for (const [at, layer] of layers.entries()) {
    const wanted = diffs[at];
    // A layer that others must not distribute may be elsewhere.
    if (wanted === undefined || layer.digest === wanted || (await staged.size(layer.digest)) === undefined) continue;
    const found = known.get(layer.digest) ?? (await diffOf(staged, layer, wanted, signal));
    known.set(layer.digest, found);
    if (found !== wanted) throw wrongDiff(layer, wanted, found);
  }
}

async function diffOf(
  staged: StagedBlobs,
  layer: Descriptor,
  wanted: DiffID,
  signal: AbortSignal | undefined,
): Promise<string> {
  const { algorithm } = splitDigest(wanted);
  const hash = createHash(algorithm);
  for await (const chunk of decompress(staged.fetch(layer), signal)) hash.update(chunk);
  return `${algorithm}:${hash.digest("hex")}`;
}

function wrongDiff({ digest }: Descriptor, wanted: string, found: string): TsbuildError {
  return new TsbuildError(
    `Cannot load the archive: layer ${digest} unpacks to ${found}, and its image says ${wanted}`,
    {
      code: "E_LAYER_DIGEST_MISMATCH",
      hint: "the archive is damaged, or was changed: make or fetch it again",
    },
  );
}
