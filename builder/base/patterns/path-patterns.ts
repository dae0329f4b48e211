import { posix } from "node:path";
import { TsbuildError } from "../../../native/errors.ts";
import { compileMobyPattern } from "./moby-pattern.ts";

/** Which patterns of a list matched a directory: what is below it matches them too. */
export type ParentMatches = readonly boolean[];

/** What a list of patterns says of a path. */
export interface PatternResult {
  readonly matched: boolean;
  /** For the entries of the path, if it is a directory. */
  readonly below: ParentMatches;
}

interface Pattern {
  readonly text: string;
  readonly negated: boolean;
  /** What each directory of a match may be called; undefined from where it could be anything. */
  readonly parts: readonly (((name: string) => boolean) | undefined)[];
  readonly matches: (path: string) => boolean;
}

/**
 * A list of ignore patterns as moby's patternmatcher reads it: `*` and `?` stay inside a name, `**` crosses slashes,
 * `!` takes back, a match of a directory holds for all below it; the last pattern that matches decides.
 * Paths are relative, without leading slash. The time for a path is at most its length times the patterns' lengths.
 */
export class PathPatterns {
  readonly #patterns: readonly Pattern[];
  /** Whether a pattern takes back what others match. */
  readonly hasNegated: boolean;

  /** @throws E_PATTERN_INVALID */
  constructor(patterns: readonly string[]) {
    this.#patterns = withoutRepeats(patterns.flatMap((text) => readPattern(text) ?? []));
    this.hasNegated = this.#patterns.some(({ negated }) => negated);
  }

  /** `parent`: the result of the path's directory, undefined at the top. */
  match(path: string, parent: ParentMatches | undefined): PatternResult {
    let matched = false;
    const below: boolean[] = [];
    for (const [at, pattern] of this.#patterns.entries()) {
      let own = parent?.[at] === true;
      // As moby has it: what could not change the answer is not looked at, and not remembered either.
      if (!own && pattern.negated === matched) {
        own = pattern.matches(path) || (parent === undefined && parentsOf(path).some(pattern.matches));
      }
      below.push(own);
      if (own) matched = !pattern.negated;
    }
    return { matched, below };
  }

  /** False when nothing below a directory that did not match can match. */
  mayMatchBelow(directory: string): boolean {
    const names = directory.split("/");
    return this.#patterns.some(({ negated, parts }) => !negated && leadsInto(parts, names));
  }

  /** False when no `!` pattern can match anything below a directory. */
  mayShowBelow(directory: string): boolean {
    const names = directory.split("/");
    return this.#patterns.some(({ negated, parts }) => negated && leadsInto(parts, names));
  }
}

/** A pattern is not looked at again before one of the other sign came: it would not change the answer. */
function withoutRepeats(patterns: readonly Pattern[]): readonly Pattern[] {
  const seen = new Set<string>();
  let negated = false;
  return patterns.filter((pattern) => {
    if (pattern.negated !== negated) seen.clear();
    negated = pattern.negated;
    const known = seen.has(pattern.text);
    seen.add(pattern.text);
    return !known;
  });
}

/** Whether the first parts of a pattern could be the names; a part that crosses slashes could be anything. */
function leadsInto(parts: Pattern["parts"], names: readonly string[]): boolean {
  for (const [at, name] of names.entries()) {
    if (at >= parts.length) return false;
    const part = parts[at];
    if (part === undefined) return true;
    if (!part(name)) return false;
  }
  return parts.length > names.length;
}

function readPattern(text: string): Pattern | undefined {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  const clean = cleanPath(trimmed);
  const negated = clean.startsWith("!");
  const pattern = negated ? clean.slice(1) : clean;
  if (pattern === "") throw invalid(text);
  checkPattern(pattern, text);
  const matches = compileMobyPattern(pattern);
  if (matches === undefined) throw invalid(text);
  // A class may match a slash, an escape may stand before one, and a ^ is the start where there is any other sign.
  const parts = pattern.split("/").map((part) => (/\*\*|[[\\^]/.test(part) ? undefined : compileMobyPattern(part)));
  return { text: pattern, negated, parts, matches };
}

/** Go's filepath.Clean. */
function cleanPath(path: string): string {
  const clean = posix.normalize(path);
  return clean.length > 1 && clean.endsWith("/") ? clean.slice(0, -1) : clean;
}

function parentsOf(path: string): readonly string[] {
  const names = path.split("/");
  return names.slice(1).map((_, at) => names.slice(0, at + 1).join("/"));
}

/** Go's filepath.Match reads every pattern once for its errors. */
function checkPattern(pattern: string, text: string): void {
  const chars = [...pattern];
  for (let at = 0; at < chars.length; at++) {
    if (chars[at] === "\\") {
      if (++at >= chars.length) throw invalid(text);
    } else if (chars[at] === "[") at = checkClass(chars, at + 1, text);
  }
}

/** Index of the closing bracket. */
function checkClass(chars: readonly string[], start: number, text: string): number {
  let at = chars[start] === "^" ? start + 1 : start;
  const next = (): void => {
    if (chars[at] === "-" || chars[at] === "]") throw invalid(text);
    if (chars[at] === "\\") at++;
    if (++at >= chars.length) throw invalid(text);
  };
  for (let count = 0; chars[at] !== "]" || count === 0; count++) {
    next();
    if (chars[at] === "-") {
      at++;
      next();
    }
  }
  return at;
}

function invalid(text: string): TsbuildError {
  return new TsbuildError(
    `Cannot read the pattern ${JSON.stringify(text)}: a bracket or an escape is not closed, a range or escape is none, or it is ! alone`,
    { code: "E_PATTERN_INVALID" },
  );
}
