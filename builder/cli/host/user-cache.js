import { lstatSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { walkGuarded } from "../../../native/guarded-path.js";

/**
 * `~/.cache/tsbuild/NAME`, or its place by XDG: what is in it is executed. Undefined when it cannot be made (Node would
 * try without end), when anybody but root and this user could change it or a directory above it, when others can enter
 * it (what Node makes there is the umask's), and when the home is another user's, as it may be with sudo and su.
 * Without `hasAcl` what a group could write to is none. In JavaScript, for it is loaded before anything could keep the result of stripping types.
 */
export function userCache(env, name, hasAcl) {
  try {
    const caches = cachesOf(env["XDG_CACHE_HOME"]);
    if (caches === undefined) return undefined;
    const path = join(caches, "tsbuild", name);
    // All but the home, or what is above the named place.
    const { stat, breach } = walkGuarded(path, { make: 3, hasAcl });
    const closed = stat !== undefined && stat.uid === process.geteuid() && (stat.mode & 0o170077) === 0o040000;
    return closed && breach === undefined ? path : undefined;
  } catch {
    return undefined;
  }
}

/** A relative path is none. @see XDG Base Directory Specification */
function cachesOf(named) {
  if (named !== undefined && named.startsWith("/")) return named;
  const home = homedir();
  return lstatSync(home).uid === process.geteuid() ? join(home, ".cache") : undefined;
}
