import type { ImageConfig } from "../../store/oci/config.ts";
import type { Digest } from "../../store/oci/digest.ts";
import type { Platform } from "../../store/oci/platform.ts";

/** An image that FROM or COPY --from names, pinned. */
export interface ResolvedImage {
  /** Normalised, with tag. */
  readonly ref: string;
  readonly manifest: Digest;
  readonly config: ImageConfig;
  readonly platform: Platform;
}
