import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";

let root: string | undefined;

/** A file of this package, by its path from the package's directory; the same from sources and from the bundle. */
export function packageFile(...path: readonly string[]): string {
  root ??= findRoot(import.meta.dirname);
  return join(root, ...path);
}

/**
 * A file of another package, installed with this one: in it or beside it. Node would look into `$HOME/.node_modules` and
 * `$NODE_PATH` as well, which may be another user's. undefined where it is not there.
 */
export function installedFile(name: string, ...path: readonly string[]): string | undefined {
  const beside = dirname(packageFile());
  const places = [packageFile("node_modules"), ...(basename(beside) === "node_modules" ? [beside] : [])];
  return places.map((place) => join(place, name, ...path)).find((file) => existsSync(file));
}

function findRoot(directory: string): string {
  return existsSync(join(directory, "package.json")) ? directory : findRoot(dirname(directory));
}
