import { errorMessage, TsbuildError } from "../../native/errors.ts";
import { normalizeReference } from "../oci/reference.ts";

/** What is wrong with an archive of images. */
export function archiveError(why: string, cause?: unknown): TsbuildError {
  return new TsbuildError(`Cannot load the archive: ${why}`, {
    code: "E_ARCHIVE_INVALID",
    cause,
    hint: "it must be an archive of `tsbuild save`, `docker save` or an OCI layout",
  });
}

/** A name as an archive has it. @throws E_ARCHIVE_INVALID */
export function archivedName(text: string): string {
  try {
    return normalizeReference(text);
  } catch (error) {
    throw archiveError(`an image in it has an invalid name: ${errorMessage(error)}`, error);
  }
}
