import { appendFileSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { tryLockExisting } from "../native/lock.ts";

/** So often, and so long between (ms): the kernel keeps a control group for a moment after its last process. */
const tries = 50;
const pause = 2;

/**
 * Directories outside of the store that a process makes, in a file of its lease: when it is killed they are removed by
 * whoever sweeps the lease. They have no files of their own, as control groups.
 */
export function noteOutside(file: string, path: string): void {
  appendFileSync(file, `${path}\n`, { mode: 0o600 });
}

/** Removes what the file names, the last first. False: something of it is still in use. */
export function removeOutside(file: string): boolean {
  const paths = [...new Set(readNames(file))].toReversed();
  return paths.map(removeDirectories).every(Boolean);
}

function readNames(file: string): readonly string[] {
  try {
    return readFileSync(file, "utf8").split("\n").slice(0, -1);
  } catch {
    return []; // it made none
  }
}

/** A directory that somebody has locked, or that holds a file, stays. */
function removeDirectories(path: string): boolean {
  try {
    using held = tryLockExisting(path);
    if (held === undefined) return true;
    for (const entry of readdirSync(path, { withFileTypes: true }))
      if (entry.isDirectory()) removeDirectories(join(path, entry.name));
    return removeEmpty(path);
  } catch {
    return true; // it is gone, or was none
  }
}

function removeEmpty(path: string): boolean {
  for (let left = tries; left > 0; left--) {
    try {
      rmdirSync(path);
      return true;
    } catch (error) {
      if (!(error instanceof Error) || !("code" in error) || error.code !== "EBUSY") return true;
      // A control group with others in it is busy for as long as they are there.
      if (readdirSync(path, { withFileTypes: true }).some((entry) => entry.isDirectory())) return true;
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pause);
  }
  return false;
}
