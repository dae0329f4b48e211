import type { DiffID } from "../oci/digest.ts";
import { diffLayer } from "./diff.ts";
import { hashLayer, packLayer } from "./pack.ts";

/** A layer directory over those below it (topmost first). Times of the tar are at most `epoch` (ns). */
export interface LayerSource {
  readonly directory: string;
  readonly lowers: readonly string[];
  readonly epoch?: bigint;
}

/** The DiffID of what a layer directory adds, and the bytes of its tar. */
export function identifyLayer(source: LayerSource): { readonly diffID: DiffID; readonly size: number } {
  return hashLayer(source.directory, diffLayer(source.directory, source.lowers), source);
}

/** The layer's tar: the same bytes that identifyLayer() named, as nothing changes a committed layer. */
export function* layerTar(source: LayerSource): Generator<Uint8Array> {
  yield* packLayer(source.directory, diffLayer(source.directory, source.lowers), source);
}
