import { chmodSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a directory and those above it that are missing. One that is there is left as it is. node:fs does that too, but
 * never returns where a directory cannot have entries, as /proc. @throws the error of mkdir(2)
 */
export function makeDirectories(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EEXIST" && statSync(path).isDirectory()) return;
    const parent = dirname(path);
    if (code !== "ENOENT" || parent === path || statSync(parent, { throwIfNoEntry: false }) !== undefined) throw error;
    makeDirectories(parent, mode);
    mkdirSync(path, { mode });
  }
}

/** Makes one directory with exactly this mode: containers see it, and they have nothing of the caller's umask. */
export function makeShownDirectory(path: string, mode = 0o755): void {
  mkdirSync(path, { mode });
  chmodSync(path, mode);
}

/** A file that containers see, 0644 whatever the caller's umask is. */
export function writeShownFile(path: string, content: string): void {
  writeFileSync(path, content);
  chmodSync(path, 0o644);
}
