import { renameSync, writeFileSync } from "node:fs";

/** Readers see the old file or all of the new one. Not flushed: what is lost with the power only explains a build. */
export function replaceFile(path: string, text: string): void {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, path);
}
