import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

let root: string | undefined;

/** A file of this package, by its path from the package's directory; the same from sources and from the bundle. */
export function packageFile(...path: readonly string[]): string {
  root ??= findRoot(import.meta.dirname);
  return join(root, ...path);
}

function findRoot(directory: string): string {
  return existsSync(join(directory, "package.json")) ? directory : findRoot(dirname(directory));
}
