import { readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { parseIgnore, type IgnoreMatcher } from "../../base/patterns/ignore.ts";
import { tooLarge } from "./too-large.ts";

/** Bytes of the largest ignore file. */
const maxIgnore = 4 << 20;

/** Docker's name, and that of buildah and podman where docker's is not there. */
const names: readonly string[] = [".dockerignore", ".containerignore"];

/**
 * The ignore file of a build: `<Dockerfile>.dockerignore` beside a Dockerfile that is a file, or .dockerignore of the
 * context; or .containerignore in its place. @throws E_PATTERN_INVALID, E_DOCKERFILE_SIZE
 */
export function findIgnore(context: string, dockerfile: string | undefined): IgnoreMatcher | undefined {
  const own = dockerfile === undefined ? [] : names.map((name) => dockerfile + name);
  const path = [...own, ...names.map((name) => join(context, name))].find((one) => isFile(one));
  return path === undefined ? undefined : readIgnore(path, basename(path));
}

/** The ignore file of a directory that --build-context names. @throws E_PATTERN_INVALID, E_DOCKERFILE_SIZE */
export function namedIgnore(directory: string): IgnoreMatcher | undefined {
  const path = names.map((name) => join(directory, name)).find((one) => isFile(one));
  return path === undefined ? undefined : readIgnore(path, path);
}

/** As with BuildKit a directory of that name is no ignore file; reading a pipe would never end. */
function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function readIgnore(path: string, name: string): IgnoreMatcher | undefined {
  if (statSync(path).size > maxIgnore) throw tooLarge(name, maxIgnore, "is it an ignore file?");
  return parseIgnore(readFileSync(path, "utf8"), name);
}
