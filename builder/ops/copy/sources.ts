import { basename } from "node:path/posix";
import { TsbuildError } from "../../../native/errors.ts";
import type { Dir, Stat } from "../../../native/path.ts";
import { compilePattern } from "../../dockerfile/match.ts";
import { suggest } from "../../dockerfile/suggest.ts";
import type { CopyOp } from "../../graph/opspec.ts";
import { CopyFilter } from "./filter.ts";
import { parentInRoot, resolveInRoot, statInRoot } from "./resolve.ts";
import { byteOrder, type SourceTree } from "./tree.ts";

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
 * @throws E_COPY_NOT_FOUND when a name without wildcards is missing or hidden by an ignore file
 */
export function findSources(tree: SourceTree, path: string): readonly Source[] {
  const { fixed, pattern } = splitWildcards(path);
  if (pattern === "") return [namedSource(tree, fixed)];
  const base = resolveInRoot(tree.root, fixed);
  const depth = pattern.split("/").length;
  const matches = compilePattern(pattern);
  const found: string[] = [];
  const search = (dir: Dir, at: string, relative: string, level: number): void => {
    for (const name of dir.names().toSorted(byteOrder)) {
      const child = join(at, name);
      const below = join(relative, name);
      if (tree.excludes(child) && tree.prunes(child)) continue;
      if (level === depth) {
        if (matches(below)) found.push(child);
      } else if (dir.stat(name)?.type === "directory") {
        using sub = dir.openDir(name);
        search(sub, child, below, level + 1);
      }
    }
  };
  if (statInRoot(tree.root, base)?.type !== "directory") return [];
  using dir = tree.root.dir(base);
  search(dir, base, "", 1);
  return found.flatMap((match) => {
    const source = sourceAt(tree, match);
    return source === undefined || hidden(tree, source) ? [] : [source];
  });
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

/** A hidden directory still counts while something below it may be shown. */
function hidden(tree: SourceTree, source: Source): boolean {
  const { resolved, stat } = source;
  if (resolved === "" || !tree.excludes(resolved)) return false;
  return stat.type !== "directory" || tree.prunes(resolved);
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
