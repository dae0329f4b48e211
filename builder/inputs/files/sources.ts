import { basename } from "node:path/posix";
import { TsbuildError } from "../../../native/errors.ts";
import { DirStack } from "../../../native/dir-stack.ts";
import type { Stat } from "../../../native/path.ts";
import { compilePattern } from "../../base/patterns/match.ts";
import { suggest } from "../../base/suggest.ts";
import type { CopyOp } from "../../graph/opspec.ts";
import { CopyFilter } from "./filter.ts";
import { parentInRoot, resolveInRoot, statInRoot } from "./resolve.ts";
import { hasShown, namesOf, type SourceTree } from "./tree.ts";

/** One thing to copy. `path` as named or matched, `resolved` with its symlinks followed; both without leading slash. */
export interface Source {
  readonly path: string;
  readonly resolved: string;
  readonly stat: Stat;
}

/** What a COPY takes of its sources, which are absolute. */
export interface Selection {
  /** Index of the input that it is read from. */
  readonly input: number;
  readonly path: string;
  readonly filter: CopyFilter;
  /** A path that must be among what is copied, without leading slash. */
  readonly required: string | undefined;
}

/** The sources of a COPY with what is chosen below them. @throws E_PATTERN_INVALID */
export function selections(op: CopyOp): readonly Selection[] {
  return op.sources.map(({ input, path, include, required }) => ({
    input,
    path: path.replace(/^\/+/, ""),
    filter: new CopyFilter(include, op.exclude ?? []),
    required: required?.replace(/^\/+/, ""),
  }));
}

/** Those that are read from one input. */
export function selectionsOf(op: CopyOp, input: number): readonly Selection[] {
  return selections(op).filter((selection) => selection.input === input);
}

/**
 * What a source of COPY names: itself, or all that its wildcards match (Go's filepath.Match), which may be nothing.
 * @throws E_COPY_NOT_FOUND when a name without wildcards is missing or hidden by an ignore file, also that of the
 * directory that the wildcards are in; when a match is a symlink to what is missing or hidden; when all matches in a
 * directory are hidden: BuildKit does not send it then
 */
export function findSources(tree: SourceTree, path: string): readonly Source[] {
  const { fixed, pattern } = splitWildcards(path);
  if (pattern === "") return [namedSource(tree, fixed)];
  const base = fixed === "" ? "" : namedSource(tree, fixed).resolved;
  if (statInRoot(tree.root, base)?.type !== "directory") throw missingSource(tree, path);
  const { found, hidden: gone } = matchesBelow(tree, base, pattern);
  if (found.length === 0 && gone !== undefined && base !== "") throw missingSource(tree, path, gone);
  return found;
}

/** `hidden`: the last match that an ignore file hides. */
function matchesBelow(
  tree: SourceTree,
  base: string,
  pattern: string,
): { readonly found: readonly Source[]; readonly hidden: Source | undefined } {
  const depth = pattern.split("/").length;
  const matches = compilePattern(pattern);
  const found: Source[] = [];
  let gone: Source | undefined;
  using start = tree.root.dir(base);
  using dirs = new DirStack(start);
  const levels = [{ at: base, relative: "", names: namesOf(start) }];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const name = level.names.pop();
    if (name === undefined) {
      levels.pop();
      if (levels.length > 0) dirs.pop();
      continue;
    }
    const [at, relative] = [join(level.at, name), join(level.relative, name)];
    if (levels.length < depth) {
      const enters = !(tree.excludes(at) && tree.prunes(at)) && dirs.top.stat(name)?.type === "directory";
      if (enters) levels.push({ at, relative, names: namesOf(dirs.push(name)) });
    } else if (matches(relative)) {
      const source = matchedSource(tree, at, dirs.top.stat(name));
      if (source.hidden) gone = source;
      else found.push(source);
    }
  }
  return { found, hidden: gone };
}

/** @throws E_COPY_NOT_FOUND for a symlink that leads to nothing that is shown */
function matchedSource(tree: SourceTree, path: string, stat: Stat | undefined): Source & { readonly hidden: boolean } {
  const own = stat === undefined ? undefined : { path, resolved: path, stat };
  if (own !== undefined && hidden(tree, own)) return { ...own, hidden: true };
  return { ...namedSource(tree, path), hidden: false };
}

function namedSource(tree: SourceTree, path: string): Source {
  const source = sourceAt(tree, path);
  if (source !== undefined && !hidden(tree, source)) return source;
  throw missingSource(tree, path, source);
}

/** The error for a path that is not there, is hidden by an ignore file or, with `source`, chosen by no pattern. */
export function missingSource(tree: SourceTree, path: string, source?: Source): TsbuildError {
  const excluded = source === undefined ? undefined : tree.whyExcluded(source.resolved);
  const link = source === undefined ? brokenLink(tree, path) : undefined;
  const near = excluded === undefined && link === undefined ? nearNames(tree, path) : undefined;
  const note = excluded === undefined ? link : `it is excluded by ${excluded}`;
  return new TsbuildError(`Cannot find /${path} in ${tree.name}`, {
    code: "E_COPY_NOT_FOUND",
    ...(note === undefined ? {} : { notes: [note] }),
    hint:
      excluded !== undefined
        ? `add a line \`!${path}\` to the ignore file`
        : near === undefined
          ? (tree.whereToLook ?? "look at what is there: ls in that stage")
          : `did you mean ${near}?`,
  });
}

/** What is wrong with the first symlink on the way that leads to nothing: such as one that was meant for the host's files. */
function brokenLink(tree: SourceTree, path: string): string | undefined {
  const parts = path.split("/").filter((part) => part !== "");
  for (let count = 1; count <= parts.length; count++) {
    const part = parts.slice(0, count).join("/");
    const found = parentInRoot(tree.root, part);
    if (found === undefined) return undefined;
    using dir = found.dir;
    if (dir.stat(found.name)?.type !== "symlink" || statInRoot(tree.root, resolveInRoot(tree.root, part)) !== undefined)
      continue;
    const target = JSON.stringify(dir.readlink(found.name));
    return `/${part} is a symlink to ${target}, and ${tree.name} has nothing there`;
  }
  return undefined;
}

/** A hidden directory still counts while something below it is shown. */
function hidden(tree: SourceTree, { resolved, stat }: Source): boolean {
  if (resolved === "" || !tree.excludes(resolved)) return false;
  if (stat.type !== "directory" || tree.prunes(resolved)) return true;
  const found = parentInRoot(tree.root, resolved);
  if (found === undefined) return true;
  using dir = found.dir;
  return !hasShown(tree, dir, found.name, resolved);
}

function sourceAt(tree: SourceTree, path: string): Source | undefined {
  const resolved = resolveInRoot(tree.root, path);
  const stat = statInRoot(tree.root, resolved);
  return stat === undefined ? undefined : { path, resolved, stat };
}

function nearNames(tree: SourceTree, path: string): string | undefined {
  const found = parentInRoot(tree.root, path);
  if (found === undefined) return undefined;
  using dir = found.dir;
  return suggest(basename(path), dir.names());
}

/** Leading parts without a wildcard, and the rest. */
function splitWildcards(path: string): { readonly fixed: string; readonly pattern: string } {
  const parts = path.split("/").filter((part) => part !== "");
  const at = parts.findIndex((part) => hasWildcard(part));
  if (at < 0) return { fixed: parts.join("/"), pattern: "" };
  return { fixed: parts.slice(0, at).join("/"), pattern: parts.slice(at).join("/") };
}

/** Whether a part of a path, or the whole, is a pattern. */
export function hasWildcard(part: string): boolean {
  return /^(?:[^\\*?[]|\\.)*[*?[]/s.test(part);
}

function join(parent: string, name: string): string {
  return parent === "" ? name : `${parent}/${name}`;
}
