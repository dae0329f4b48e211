import { TsbuildError } from "../../../native/errors.ts";
import { writeWholeText } from "../../../native/whole-file.ts";

/** The file of --iidfile or --metadata-file: readers see the old one or the whole new one. @throws E_RESULT_FILE */
export function writeResultFile(path: string, text: string): void {
  try {
    writeWholeText(path, text, 0o644);
  } catch (cause) {
    if (!(cause instanceof TsbuildError)) throw cause;
    throw new TsbuildError(cause.message, {
      code: "E_RESULT_FILE",
      cause,
      notes: ["the image was built"],
      ...(cause.hint === undefined ? {} : { hint: cause.hint }),
    });
  }
}
