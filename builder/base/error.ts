import { TsbuildError, type TsbuildErrorOptions } from "../../native/errors.ts";
import type { SourceLocation } from "./location.ts";

/** A failure at a place in a Dockerfile; `source` is the file's text, for the frame. */
export class DockerfileError extends TsbuildError {
  override readonly name: string = "DockerfileError";
  readonly location: SourceLocation;
  readonly source: string;
  /** Which stage and step, as progress names it: `stage build, step 4/9`. */
  readonly step: string | undefined;
  /** Text under the caret. */
  readonly label: string | undefined;

  constructor(
    message: string,
    options: TsbuildErrorOptions & {
      readonly location: SourceLocation;
      readonly source: string;
      readonly step?: string;
      readonly label?: string;
    },
  ) {
    super(message, options);
    this.location = options.location;
    this.source = options.source;
    this.step = options.step;
    this.label = options.label;
  }
}
