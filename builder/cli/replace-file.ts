import { renameSync, writeFileSync } from "node:fs";
import { errorMessage, TsbuildError } from "../../native/errors.ts";

/** Readers see the old file or the whole new one. @throws E_RESULT_FILE */
export function replaceFile(path: string, text: string): void {
  if (path.startsWith("/dev/")) {
    writeFileSync(path, text);
    return;
  }
  const temporary = `${path}.tmp${process.pid}`;
  try {
    writeFileSync(temporary, text, { mode: 0o644 });
    renameSync(temporary, path);
  } catch (cause) {
    throw new TsbuildError(`Cannot write ${path}: ${errorMessage(cause)}`, {
      code: "E_RESULT_FILE",
      cause,
      hint: "the image was built; check that the directory is there and may be written to",
    });
  }
}
