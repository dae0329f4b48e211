import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { TsbuildError } from "../../native/errors.ts";
import { parseIgnore, type IgnoreMatcher } from "../dockerfile/ignore.ts";
import { suggest } from "../dockerfile/suggest.ts";

/** A Dockerfile found: `name` as messages show it. */
export interface FoundDockerfile {
  readonly path: string;
  readonly name: string;
  readonly bytes: Buffer;
}

/** Checks that a build context is a directory. @throws E_CONTEXT */
export function openContextDirectory(path: string): string {
  const directory = resolve(path);
  let why = "it does not exist";
  try {
    if (statSync(directory).isDirectory()) return directory;
    why = "it is no directory";
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EACCES") why = "permission denied";
  }
  throw new TsbuildError(`Cannot use ${path} as the build context: ${why}`, {
    code: "E_CONTEXT",
    hint: "give a directory: tsbuild -t app .",
  });
}

/** A directory that --build-context names, with its own .dockerignore. @throws E_CONTEXT */
export function namedDirectory(path: string): {
  readonly directory: string;
  readonly ignore: IgnoreMatcher | undefined;
} {
  const directory = openContextDirectory(path);
  const file = join(directory, ".dockerignore");
  return { directory, ignore: existsSync(file) ? parseIgnore(readFileSync(file, "utf8"), file) : undefined };
}

/** The Dockerfile of a build: the given one, or Dockerfile, or Containerfile of the context. @throws E_DOCKERFILE_NOT_FOUND */
export function findDockerfile(context: string, given: string | undefined): FoundDockerfile {
  const candidates =
    given === undefined ? ["Dockerfile", "Containerfile"].map((name) => join(context, name)) : [resolve(given)];
  for (const path of candidates) {
    if (existsSync(path) && statSync(path).isFile()) {
      return { path, name: given ?? basename(path), bytes: readFileSync(path) };
    }
  }
  const wanted = given ?? "Dockerfile";
  const near = suggest(basename(wanted), names(context));
  throw new TsbuildError(`Cannot find ${wanted}${given === undefined ? ` in ${context}` : ""}`, {
    code: "E_DOCKERFILE_NOT_FOUND",
    hint: near === undefined ? "name it: tsbuild -f path/to/Dockerfile ." : `did you mean -f ${join(context, near)}?`,
  });
}

function names(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** The ignore file of a build: `<Dockerfile>.dockerignore` beside it, or .dockerignore of the context. */
export function findIgnore(context: string, dockerfile: string): IgnoreMatcher | undefined {
  const own = `${dockerfile}.dockerignore`;
  const shared = join(context, ".dockerignore");
  const path = [own, shared].find((one) => existsSync(one));
  return path === undefined ? undefined : parseIgnore(readFileSync(path, "utf8"), basename(path));
}
