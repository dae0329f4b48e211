import type { Digest } from "../../store/oci/digest.ts";
import type { ProgressSink } from "../graph/events.ts";
import type { EngineOptions } from "./options.ts";

/** What pull and push work with beside the image's name. */
export interface TransferOptions extends EngineOptions {
  readonly image: string;
  /** `os/arch[/variant]`; default: the machine's. */
  readonly platform?: string;
  readonly onEvent?: ProgressSink;
}

/** What a pull brought or a push sent. */
export interface TransferResult {
  /** Normalised. */
  readonly name: string;
  /** Of what the name points to. */
  readonly digest: Digest;
  readonly imageID: Digest;
}
