import { lstatSync, mkdtempSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isAt, tryLockExisting, type FileLock } from "./lock.ts";
import { Root } from "./path.ts";
import { temporaryPlace } from "./temporary-place.ts";

/** A directory of this process alone; dispose removes it with all it holds. */
export interface TemporaryDirectory extends Disposable {
  readonly path: string;
}

/**
 * Makes one in the machine's place for temporary files, `PREFIX-XXXXXX`, locked as long as this process is there. Those of
 * this user whose processes were killed are removed before.
 */
export function makeTemporaryDirectory(prefix: string): TemporaryDirectory {
  const place = temporaryPlace();
  sweep(place, prefix);
  for (;;) {
    const path = mkdtempSync(join(place, `${prefix}-`));
    const lock = lockOf(path);
    // Until it was locked it looked like one of a process that is gone.
    if (lock !== undefined) return { path, [Symbol.dispose]: () => remove(path, lock) };
  }
}

function sweep(place: string, prefix: string): void {
  for (const name of readdirSync(place)) {
    if (!name.startsWith(`${prefix}-`) || !/^[A-Za-z0-9]{6}$/.test(name.slice(prefix.length + 1))) continue;
    const path = join(place, name);
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory() !== true || found.uid !== process.geteuid?.()) continue;
    const lock = lockOf(path);
    if (lock !== undefined) remove(path, lock);
  }
}

function lockOf(path: string): FileLock | undefined {
  try {
    const held = tryLockExisting(path);
    if (held === undefined || isAt(path, held.fd)) return held;
    held[Symbol.dispose]();
  } catch {
    // Somebody has just removed it.
  }
  return undefined;
}

function remove(path: string, lock: FileLock): void {
  using _until = lock;
  using parent = Root.open(dirname(path));
  parent.removeTree(basename(path));
}
