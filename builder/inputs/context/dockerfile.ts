import { readFileSync, readdirSync, statSync, type Stats } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { TsbuildError } from "../../../native/errors.ts";
import { redactUrls } from "../../base/redact-url.ts";
import { suggest } from "../../base/suggest.ts";
import { maxDockerfile } from "../../dockerfile/max-size.ts";
import { tooLarge } from "./too-large.ts";

/** A Dockerfile found: `name` as messages show it. */
export interface FoundDockerfile {
  readonly path: string;
  readonly name: string;
  readonly bytes: Buffer;
}

/** Checks that a build context is a directory; `name`: of one that --build-context gives. @throws E_CONTEXT */
export function openContextDirectory(path: string, name?: string): string {
  const directory = resolve(path);
  let why = "it does not exist";
  try {
    if (statSync(directory).isDirectory()) return directory;
    why = "it is no directory";
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EACCES") why = "permission denied";
  }
  throw new TsbuildError(
    `Cannot use ${redactUrls(path)} as the build context${name === undefined ? "" : ` ${name}`}: ${why}`,
    { code: "E_CONTEXT", hint: hintFor(path, name) },
  );
}

function hintFor(path: string, name: string | undefined): string {
  if (name !== undefined) return `if an image is meant: --build-context ${name}=docker-image://${path}`;
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(path))
    return "a URL of a context begins with http://, https://, git:// or ssh://";
  return "give a directory: tsbuild -t app .";
}

/**
 * The names that a Dockerfile may have: the given one, or Dockerfile, else Containerfile of the context. As with BuildKit
 * `dockerfile` stands for `Dockerfile`.
 */
export function dockerfileNames(given: string | undefined): readonly string[] {
  if (given === undefined) return ["Dockerfile", "dockerfile", "Containerfile"];
  return basename(given) === "Dockerfile" ? [given, join(dirname(given), "dockerfile")] : [given];
}

/** A path of the host that can be read as a Dockerfile, and what it is. @throws E_DOCKERFILE_NOT_FOUND, E_DOCKERFILE_SIZE */
export function findDockerfile(context: string, given: string | undefined): DockerfilePlace {
  const base = given === undefined ? context : "";
  const found = dockerfileNames(given).map((name) => placeOf(resolve(base, name), given ?? name));
  const file = found.find(({ stat }) => stat?.isFile() === true || (given !== undefined && stat?.isFIFO() === true));
  if (file?.stat !== undefined) {
    const { path, name, stat } = file;
    if (stat.size > maxDockerfile)
      throw tooLarge(name, maxDockerfile, "is it a Dockerfile? Name another: -f path/to/Dockerfile");
    return { path, name, pipe: !stat.isFile() };
  }
  const wanted = given ?? "Dockerfile";
  const other = found.find(({ stat }) => stat !== undefined);
  if (other !== undefined) {
    const what = other.stat?.isDirectory() === true ? "a directory" : "no file";
    throw new TsbuildError(`Cannot read ${wanted} as a Dockerfile: it is ${what}`, {
      code: "E_DOCKERFILE_NOT_FOUND",
      hint:
        given === undefined
          ? "name it: tsbuild -f path/to/Dockerfile ."
          : `name the file: -f ${join(given, "Dockerfile")}`,
    });
  }
  const near = suggest(basename(wanted), names(given === undefined ? context : dirname(resolve(given))));
  throw new TsbuildError(`Cannot find ${wanted}${given === undefined ? ` in ${context}` : ""}`, {
    code: "E_DOCKERFILE_NOT_FOUND",
    hint:
      near === undefined
        ? "name it: tsbuild -f path/to/Dockerfile ."
        : `did you mean -f ${join(given === undefined ? context : dirname(given), near)}?`,
  });
}

/** Where a Dockerfile is. */
export interface DockerfilePlace {
  readonly path: string;
  readonly name: string;
  /** What a shell's `<(command)` gives: it can be read once. */
  readonly pipe: boolean;
}

/** The text of a Dockerfile that is a file. */
export function readPlace({ path, name }: DockerfilePlace): FoundDockerfile {
  return { path, name, bytes: readFileSync(path) };
}

function placeOf(
  path: string,
  name: string,
): { readonly path: string; readonly name: string; readonly stat: Stats | undefined } {
  return { path, name, stat: statOf(path) };
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    // A part of the path is no directory.
    if (error instanceof Error && "code" in error && (error.code === "ENOTDIR" || error.code === "ELOOP"))
      return undefined;
    throw error;
  }
}

function names(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
