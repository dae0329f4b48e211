import { TsbuildError } from "../../native/errors.ts";
import { isTooLong } from "../../native/pathname.ts";
import type { Change } from "./change.ts";
import { whiteoutPrefix } from "./whiteout.ts";

/** Refuses what a layer has no words for, where it would come to mean something else. @throws E_LAYER_NAME */
export function requireStorable(changes: readonly Change[]): void {
  for (const change of changes) {
    const { path } = change;
    if (change.kind === "delete" || change.kind === "opaque") continue;
    requireShortPath(path);
    const name = path.slice(path.lastIndexOf("/") + 1);
    if (name.startsWith(whiteoutPrefix)) {
      throw unstorable(path, `names that begin with ${whiteoutPrefix} stand for deleted files`);
    }
    const key = [...(change.stat.xattrs?.keys() ?? [])].find((one) => one.includes("="));
    if (key !== undefined) throw unstorable(path, `the name of its attribute ${key} has a =`);
  }
}

/** @throws E_LAYER_NAME for a path that no program could open */
export function requireShortPath(path: string): void {
  if (isTooLong(path)) throw unstorable(path, "its path is too long");
}

function unstorable(path: string, why: string): TsbuildError {
  return new TsbuildError(`Cannot store /${path.slice(0, 1000)} in a layer: ${why}`, {
    code: "E_LAYER_NAME",
    hint: "remove it in the same step",
  });
}
