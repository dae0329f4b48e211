import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** Every entry below a directory: `0644 0:0 path`, directories with a slash, symlinks as `link 0:0 path -> target`. */
export function listTree(directory: string, at: string = ""): readonly string[] {
  const names = readdirSync(join(directory, at)).toSorted();
  return names.flatMap((name) => {
    const path = join(at, name);
    const stat = lstatSync(join(directory, path));
    const owner = `${stat.uid}:${stat.gid}`;
    if (stat.isSymbolicLink()) return [`link ${owner} ${path} -> ${readlinkSync(join(directory, path))}`];
    const mode = (stat.mode & 0o7777).toString(8).padStart(4, "0");
    if (!stat.isDirectory()) return [`${mode} ${owner} ${path}`];
    return [`${mode} ${owner} ${path}/`, ...listTree(directory, path)];
  });
}
