import type { EngineOptions } from "./options.ts";

/** Which build is meant. */
export interface WhyOptions extends Pick<EngineOptions, "root"> {
  /** A name or ID of the image that it made, its own ID, or the context that it built; default: the last of `directory`. */
  readonly build?: string;
  /** Absolute; what relative contexts are below. Default: the working directory. */
  readonly directory?: string;
}
