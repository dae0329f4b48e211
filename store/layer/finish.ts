import { diffLayer } from "./diff.ts";
import { packLayer } from "./pack.ts";

/** A layer directory over those below it (topmost first). Times of the tar are at most `epoch` (ns). */
export interface LayerSource {
  readonly directory: string;
  readonly lowers: readonly string[];
  readonly epoch?: bigint;
}

/** The layer's tar: the same bytes that hashLayer() named, as nothing changes a committed layer. */
export function* layerTar(source: LayerSource): Generator<Uint8Array> {
  yield* packLayer(source.directory, diffLayer(source.directory, source.lowers), source);
}
