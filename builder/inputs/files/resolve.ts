import { SyscallError, TsbuildError } from "../../../native/errors.ts";
import type { Dir, Root, Stat } from "../../../native/path.ts";

const maxLinks = 255;

/**
 * The path with every symlink followed inside the root and without `..`, no leading slash; "" is the root.
 * Parts that do not exist are kept as they are: this names where a file would be made.
 * @throws E_SYMLINK_LOOP
 */
export function resolveInRoot(root: Root, path: string): string {
  const rest = path.split("/").toReversed();
  let done: string[] = [];
  let links = 0;
  for (let part = rest.pop(); part !== undefined; part = rest.pop()) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      done.pop();
      continue;
    }
    const target = linkTarget(root, [...done, part].join("/"));
    if (target === undefined) {
      done.push(part);
      continue;
    }
    if (++links > maxLinks) {
      throw new TsbuildError(`Cannot resolve ${JSON.stringify(path)}: too many symbolic links`, {
        code: "E_SYMLINK_LOOP",
      });
    }
    if (target.startsWith("/")) done = [];
    rest.push(...target.split("/").toReversed());
  }
  return done.join("/");
}

/** Metadata of what a resolved path names; undefined where nothing is. */
export function statInRoot(root: Root, path: string): Stat | undefined {
  if (path === "") return root.statSelf();
  const found = parentInRoot(root, path);
  if (found === undefined) return undefined;
  using dir = found.dir;
  return dir.stat(found.name);
}

/** The open parent directory and the last name; undefined where the parent is missing or no directory. */
export function parentInRoot(root: Root, path: string): { readonly dir: Dir; readonly name: string } | undefined {
  try {
    return root.parent(path);
  } catch (error) {
    if (error instanceof SyscallError && (error.errno === "ENOENT" || error.errno === "ENOTDIR")) return undefined;
    throw error;
  }
}

function linkTarget(root: Root, path: string): string | undefined {
  const found = parentInRoot(root, path);
  if (found === undefined) return undefined;
  using dir = found.dir;
  return dir.stat(found.name)?.type === "symlink" ? dir.readlink(found.name) : undefined;
}
