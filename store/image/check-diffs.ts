import { createHash } from "node:crypto";
import { TsbuildError } from "../../native/errors.ts";
import type { ContentStore } from "../content/store.ts";
import { decompress } from "../layer/compression.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { splitDigest, type Digest, type DiffID } from "../oci/digest.ts";

/** Where layers are. */
export interface LayerSource {
  /** undefined: it is not there. */
  size(digest: Digest): Promise<number | undefined>;
  fetch(desc: Descriptor): AsyncIterable<Uint8Array>;
}

/** Layers whose blobs are in a store. */
export function contentLayers(content: ContentStore): LayerSource {
  return {
    size: async (digest) => (await content.stat(digest))?.size,
    fetch: (desc) => content.fetch(desc),
  };
}

/** Digests of layers' tars that were computed already, by the digest of the layer. */
export type KnownDiffs = Map<Digest, string>;

/**
 * Whether an image's layers are those that its config names, without unpacking them. `act`: what is done, for the error.
 * @throws E_LAYER_DIGEST_MISMATCH
 */
export async function checkDiffs(
  source: LayerSource,
  image: { readonly layers: readonly Descriptor[]; readonly diffs: readonly DiffID[] },
  {
    act,
    known,
    signal,
  }: { readonly act: string; readonly known: KnownDiffs; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const { layers, diffs } = image;
  if (diffs.length !== layers.length)
    throw mismatch(act, `an image has ${layers.length} layers, and its config says ${diffs.length}`);
  for (const [at, layer] of layers.entries()) {
    const wanted = diffs[at];
    // A layer that others must not distribute may be elsewhere.
    if (wanted === undefined || layer.digest === wanted || (await source.size(layer.digest)) === undefined) continue;
    const found = known.get(layer.digest) ?? (await diffOf(source, layer, wanted, signal));
    known.set(layer.digest, found);
    if (found !== wanted)
      throw mismatch(act, `layer ${layer.digest} unpacks to ${found}, and its image says ${wanted}`);
  }
}

async function diffOf(
  source: LayerSource,
  layer: Descriptor,
  wanted: DiffID,
  signal: AbortSignal | undefined,
): Promise<string> {
  const { algorithm } = splitDigest(wanted);
  const hash = createHash(algorithm);
  for await (const chunk of decompress(source.fetch(layer), signal)) hash.update(chunk);
  return `${algorithm}:${hash.digest("hex")}`;
}

function mismatch(act: string, why: string): TsbuildError {
  return new TsbuildError(`Cannot ${act}: ${why}`, {
    code: "E_LAYER_DIGEST_MISMATCH",
    hint: "it is damaged, or was changed: make or fetch it again",
  });
}
