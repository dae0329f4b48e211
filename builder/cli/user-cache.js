import { lstatSync, mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * `~/.cache/tsbuild`, or its place by XDG. Undefined when it cannot be made (Node would try without end), or when
 * somebody else could write to it: what is there is executed, and with sudo the home may be a user's.
 * In JavaScript, for it is loaded before anything could keep the result of stripping types.
 */
export function userCache(env) {
  const home = env["XDG_CACHE_HOME"];
  const caches = home === undefined || home === "" ? join(homedir(), ".cache") : home;
  return makeDirectory(caches) && isOwn(join(caches, "tsbuild")) ? join(caches, "tsbuild") : undefined;
}

/** Whether the directory is there, made if it was not, and is written to by this user alone. */
export function isOwn(directory) {
  if (!makeDirectory(directory)) return false;
  const { uid, mode } = lstatSync(directory);
  return uid === process.geteuid() && (mode & 0o170022) === 0o040000;
}

function makeDirectory(directory) {
  try {
    mkdirSync(directory, { mode: 0o700 });
    return true;
  } catch (error) {
    return error.code === "EEXIST";
  }
}
