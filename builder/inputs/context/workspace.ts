import { mkdtempSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Root } from "../../../native/path.ts";
import { makeShownDirectory } from "../../../native/directory.ts";

/** Directories that one build fills with what it fetched or unpacked. Dispose removes them all. */
export class Workspace implements Disposable {
  readonly #scratch: () => string;
  #path: string | undefined;
  #count = 0;

  /** `scratch`: gives a directory of this process; asked when the first directory is. */
  constructor(scratch: () => string) {
    this.#scratch = scratch;
  }

  /** A new directory, 0755, in one that only root may enter. */
  directory(): string {
    this.#path ??= mkdtempSync(join(this.#scratch(), "work-"));
    const path = join(this.#path, String(this.#count++));
    makeShownDirectory(path);
    return path;
  }

  [Symbol.dispose](): void {
    if (this.#path === undefined) return;
    // What was unpacked is a stranger's: it is removed without following anything.
    using parent = Root.open(dirname(this.#path));
    parent.removeTree(basename(this.#path));
    this.#path = undefined;
  }
}
