import type { Digest } from "../../store/oci/digest.ts";
import type { EngineOptions } from "./options.ts";

/** What a prune is to remove; every limit is of all of it. Without any option: what no image and no recent step needs. */
export interface PruneOptions extends Pick<EngineOptions, "root" | "signal"> {
  /** Images without a name (default), those with one, all, or none. What somebody uses stays. */
  readonly images?: "none" | "dangling" | "named" | "all";
  /** Remembered steps that are part of no image, all, or none (default). */
  readonly cache?: "none" | "dangling" | "all";
  /** Only what was made, or of the cache last used, before then: milliseconds since 1970. */
  readonly until?: number;
  /** Only images with all of these labels: `KEY` or `KEY=VALUE`. */
  readonly labels?: readonly string[];
  /** Only images with none of these. */
  readonly notLabels?: readonly string[];
}

/** What a prune removed. */
export interface PruneResult {
  readonly images: readonly PrunedImage[];
  readonly layers: number;
  readonly blobs: number;
  /** Steps of the cache. */
  readonly steps: number;
  readonly bytes: number;
}

/** An image that lost names. */
export interface PrunedImage {
  readonly id: Digest;
  /** Normalised; empty for one that had none. */
  readonly names: readonly string[];
  /** Whether those were its last. */
  readonly deleted: boolean;
}
