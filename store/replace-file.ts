import { writeFileSync } from "node:fs";
import { openUnnamed } from "../native/unnamed-file.ts";

/**
 * Readers see the old file or all of the new one, and a process that is killed leaves nothing beside it. Not flushed: for
 * what only makes builds faster, or explains them.
 */
export function replaceFile(path: string, text: string): void {
  using file = openUnnamed(path, 0o600);
  writeFileSync(file.fd, text);
  file.place();
}
