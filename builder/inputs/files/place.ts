import { dirname } from "node:path/posix";
import { TsbuildError } from "../../../native/errors.ts";
import type { Dir } from "../../../native/path.ts";

/** A file takes the place of whatever has its name, but of no directory. */
export function makeRoom(dir: Dir, name: string, target: string): void {
  const existing = dir.stat(name);
  if (existing?.type === "directory") {
    throw new TsbuildError(`Cannot copy a file to /${target}: a directory is there`, {
      code: "E_COPY_TARGET",
      hint: `end the destination with / to copy into it`,
    });
  }
  if (existing !== undefined) dir.unlink(name);
}

/** The error for a path of which a part is no directory. */
export function notDirectory(path: string): TsbuildError {
  return new TsbuildError(`Cannot use /${path} as a directory: something else is there`, {
    code: "E_COPY_TARGET",
    hint: "remove it in an earlier RUN, or choose another path",
  });
}

/** The error for several sources of which one would take another's place. */
export function severalToOne(dest: string): TsbuildError {
  return new TsbuildError(`Cannot copy several sources to ${JSON.stringify(dest)}: that is one file`, {
    code: "E_COPY_DEST",
    hint: `to copy into a directory: ${dest}/`,
  });
}

/** The directory of a path without a leading slash; "" is the root. */
export function parentOf(path: string): string {
  const parent = dirname(path);
  return parent === "." ? "" : parent;
}

export function join(parent: string, name: string): string {
  return parent === "" ? name : `${parent}/${name}`;
}
