import type { Cancellation } from "../../native/cancellation.ts";
import { TsbuildError } from "../../native/errors.ts";
import type { Root } from "../../native/path.ts";
import { sha256 } from "../../native/sha256.ts";
import { asDiffID, parseDigest, type DiffID } from "../oci/digest.ts";
import { Applier, type ApplyOptions } from "./apply.ts";
import { decompress } from "./compression.ts";
import type { Unsettled } from "./settle.ts";
import { TarReader } from "./tar/reader.ts";

/**
 * `size`: bytes of its tar. `ownRoot`: it says what the root directory's mode and owner are. `unsettled`: what
 * settleLayer() has to do before the directory is the layer.
 */
export interface UnpackedLayer {
  readonly diffID: DiffID;
  readonly size: number;
  readonly ownRoot: boolean;
  readonly unsettled: Unsettled;
}

/**
 * Unpacks a layer, compressed or not, in one pass: decompress, hash, write, each on a thread of its own. Nothing of it
 * counts before the DiffID was compared. @throws E_LAYER_DIGEST_MISMATCH, E_TAR_*, E_LAYER_ENTRY, E_COMPRESSION
 */
export async function unpackLayer(
  bytes: AsyncIterable<Uint8Array>,
  root: Root,
  options: ApplyOptions & { readonly expected?: DiffID; readonly signal?: Cancellation },
): Promise<UnpackedLayer> {
  using applier = new Applier(root, options);
  const reader = new TarReader(applier);
  await using hash = sha256();
  let size = 0;
  for await (const chunk of decompress(bytes, options.signal)) {
    const hashed = hash.update(chunk);
    size += chunk.byteLength;
    reader.push(chunk);
    await hashed;
  }
  reader.finish();
  applier.finish();
  const diffID = asDiffID(parseDigest(`sha256:${hash.digest()}`));
  if (options.expected !== undefined && options.expected !== diffID) {
    throw new TsbuildError(`Cannot use the layer: its content is ${diffID}, expected ${options.expected}`, {
      code: "E_LAYER_DIGEST_MISMATCH",
      hint: "the registry or the archive holds a damaged image: pull it again, or from its origin",
    });
  }
  return { diffID, size, ownRoot: applier.ownRoot, unsettled: applier.unsettled };
}
