import { renameSync } from "node:fs";
import { join } from "node:path";
import { SyscallError } from "../native/errors.ts";
import { Root } from "../native/path.ts";

/**
 * Takes things away at once and removes them later: from the moment they are renamed nobody finds them, and a killed
 * process leaves them where its lease is swept.
 */
export class Trash {
  readonly #directory: string;
  #taken: string[] = [];
  #count = 0;

  /** `directory`: of this process alone, in the same file system. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Takes what is there; false where nothing is. */
  take(directory: string, name: string): boolean {
    const to = `trash-${this.#count++}`;
    try {
      renameSync(join(directory, name), join(this.#directory, to));
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "ENOENT") return false;
      if (code !== "ENOSPC" && code !== "EDQUOT") throw error;
      // A full disk has no place for its new name.
      using root = Root.open(directory);
      root.removeTree(name);
      return true;
    }
    this.#taken.push(to);
    return true;
  }

  /** Removes what was taken; how many. What cannot be removed is left to whoever sweeps the lease. */
  empty(): number {
    const taken = this.#taken;
    if (taken.length === 0) return 0;
    this.#taken = [];
    using root = Root.open(this.#directory);
    for (const name of taken) {
      try {
        root.removeTree(name);
      } catch (error) {
        if (!(error instanceof SyscallError)) throw error;
      }
    }
    return taken.length;
  }
}
