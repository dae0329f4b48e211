import { TsbuildError } from "../../../native/errors.ts";

/** The error for an archive that no tar program would have written, or that they would read differently. */
export function invalid(what: string): TsbuildError {
  return new TsbuildError(`Cannot read the archive: ${what}`, { code: "E_TAR_INVALID" });
}
