import { lstatSync, readlinkSync, type Stats } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { TsbuildError } from "./errors.ts";
import { inUserNamespace } from "./user-namespace.ts";

const maxLinks = 40;
/** What the kernel shows for a user that a user namespace has no number for. @see user_namespaces(7) */
const overflow = 65534;

/** Where a path leads to, without links; `stat`: of what is there. */
export interface ResultPlace {
  readonly path: string;
  readonly stat: Stats | undefined;
}

/**
 * Follows a path for results. In a directory that everybody may write to symbolic links of other users are refused, at the
 * end and on the way to it, and so are their pipes. The kernel does that if it is told to, and only at the end.
 * @see proc_sys_fs(5) protected_symlinks, protected_fifos
 * @throws E_OUTPUT_FILE, an Error of node:fs
 */
export function resultPlace(path: string): ResultPlace {
  const parts = (isAbsolute(path) ? path : `${process.cwd()}/${path}`).split("/");
  let links = 0;
  let at = "/";
  let stat: Stats | undefined = lstatSync(at);
  for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
    if (part === "" || part === ".") continue;
    const next = part === ".." ? dirname(at) : join(at, part);
    const found = lstatSync(next, { throwIfNoEntry: false });
    if (found === undefined) return { path: [next, ...parts].join("/"), stat: undefined };
    const kind = found.isSymbolicLink() ? "symbolic link" : found.isFIFO() ? "pipe" : undefined;
    if (kind !== undefined && isStrange(found, lstatSync(dirname(next)))) throw anothers(path, next, kind);
    if (kind === "symbolic link") {
      if (++links > maxLinks) throw Object.assign(new Error("ELOOP"), { code: "ELOOP" });
      const target = readlinkSync(next);
      parts.unshift(...target.split("/"));
      if (isAbsolute(target)) [at, stat] = ["/", lstatSync("/")];
    } else [at, stat] = [next, found];
  }
  return { path: at, stat };
}

/** Whether it is neither this user's nor the directory's owner's, where everybody may put things. */
function isStrange({ uid }: Stats, around: Stats): boolean {
  if ((around.mode & 0o1002) !== 0o1002 || uid === process.geteuid?.()) return false;
  return uid !== around.uid || (uid === overflow && inUserNamespace());
}

function anothers(path: string, found: string, kind: string): TsbuildError {
  return new TsbuildError(`Cannot write ${path}: ${found} is a ${kind} of another user`, {
    code: "E_OUTPUT_FILE",
    hint: `rm ${found}   (or choose another place)`,
  });
}
