import { mkdtempSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { makeShownDirectory } from "../../native/directory.ts";
import { Root } from "../../native/path.ts";

/** A directory of a step's own; dispose removes it with all that a container may have put there. */
export interface ScratchDirectory extends Disposable {
  readonly path: string;
  /** A new directory in it, 0755. */
  readonly make: (name: string) => string;
}

/** Makes one in `parent`, which is the build's own. */
export function scratchDirectory(parent: string, prefix: string): ScratchDirectory {
  const path = mkdtempSync(join(parent, prefix));
  return {
    path,
    make: (name) => {
      const made = join(path, name);
      makeShownDirectory(made);
      return made;
    },
    [Symbol.dispose]: () => {
      using root = Root.open(dirname(path));
      root.removeTree(basename(path));
    },
  };
}
