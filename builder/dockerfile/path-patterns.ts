import { posix } from "node:path";
import { TsbuildError } from "../../native/errors.ts";

/** Which patterns of a list matched a directory: what is below it matches them too. */
export type ParentMatches = readonly boolean[];

/** What a list of patterns says of a path. */
export interface PatternResult {
  readonly matched: boolean;
  /** For the entries of the path, if it is a directory. */
  readonly below: ParentMatches;
}

/** Tests one character where a pattern has more than a character to say. */
type Test = (char: string) => boolean;

/** `any` takes every character, `run` all but slashes; `directories` is nothing or whole directories with their slash. */
type Token = { readonly kind: "one"; readonly test: Test } | { readonly kind: "any" | "run" | "directories" };

interface Pattern {
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
    this.#patterns = patterns.flatMap((text) => readPattern(text) ?? []);
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
  // A class may match a slash, and an escape may stand before one.
  const parts = pattern.split("/").map((part) => (/\*\*|[[\\]/.test(part) ? undefined : compile(part)));
  return { negated, parts, matches: compile(pattern) };
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

function compile(pattern: string): (path: string) => boolean {
  if (!/[*?[\]\\]/.test(pattern)) return (path) => path === pattern;
  // `**name` without more signs is any path with that end; otherwise `**` in front is whole directories.
  const suffix = /^\*\*([^/*?[\]\\][^*?[\]\\]*)?$/.exec(pattern);
  if (suffix !== null) return (path) => path.endsWith(suffix[1] ?? "");
  const tokens = tokenize([...pattern]);
  const { start, end } = fixedEnds(pattern);
  return (path) => path.startsWith(start) && path.endsWith(end) && run(tokens, path);
}

/** How every match begins and ends: most paths are told apart by that. The slash after `**` may be missing. */
function fixedEnds(pattern: string): { readonly start: string; readonly end: string } {
  if (/[[\]\\]/.test(pattern)) return { start: "", end: "" };
  const start = /^[^*?]*/.exec(pattern)?.[0] ?? "";
  const end = /[^*?]*$/.exec(pattern)?.[0] ?? "";
  return { start, end: end.replace(/^\//, "") };
}

function tokenize(chars: readonly string[]): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] ?? "";
    if (char === "*" && chars[at + 1] === "*") {
      at += chars[at + 2] === "/" ? 2 : 1;
      tokens.push({ kind: at + 1 >= chars.length ? "any" : "directories" });
    } else if (char === "*") tokens.push({ kind: "run" });
    else if (char === "?") tokens.push(one((other) => other !== "/"));
    else if (char === "[") {
      const { test, end } = readClass(chars, at + 1);
      tokens.push(one(test));
      at = end;
    } else {
      const literal = char === "\\" ? (chars[++at] ?? "\\") : char;
      tokens.push(one((other) => other === literal));
    }
  }
  return tokens;
}

function one(test: Test): Token {
  return { kind: "one", test };
}

/** The pattern was checked: the class is closed. */
function readClass(chars: readonly string[], start: number): { readonly test: Test; readonly end: number } {
  const negated = chars[start] === "^";
  const ranges: (readonly [number, number])[] = [];
  let at = negated ? start + 1 : start;
  const next = (): number => {
    if (chars[at] === "\\") at++;
    return (chars[at++] ?? "").codePointAt(0) ?? 0;
  };
  while (at < chars.length && (chars[at] !== "]" || ranges.length === 0)) {
    const low = next();
    const isRange = chars[at] === "-" && chars[at + 1] !== "]";
    if (isRange) at++;
    ranges.push([low, isRange ? next() : low]);
  }
  const test: Test = (char) => {
    const code = char.codePointAt(0) ?? 0;
    return ranges.some(([low, high]) => low <= code && code <= high) !== negated;
  };
  return { test, end: at };
}

/** All ways through the pattern are followed at once. */
function run(tokens: readonly Token[], path: string): boolean {
  let states = new States(tokens);
  states.enter(0);
  for (const char of path) {
    const next = new States(tokens);
    for (const state of states.all) {
      const token = tokens[state];
      if (token === undefined) continue;
      if (token.kind === "one") {
        if (token.test(char)) next.enter(state + 1);
      } else if (token.kind === "directories") {
        next.all.add(state);
        if (char === "/") next.enter(state + 1);
      } else if (token.kind === "any" || char !== "/") next.enter(state);
    }
    if (next.all.size === 0) return false;
    states = next;
  }
  return states.all.has(tokens.length);
}

/** Places in a pattern; what may be nothing is stepped over when it is come to, and within only as its kind says. */
class States {
  readonly all: Set<number> = new Set();
  readonly #entered = new Set<number>();
  readonly #tokens: readonly Token[];

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  enter(start: number): void {
    for (let at = start; !this.#entered.has(at); at++) {
      this.#entered.add(at);
      this.all.add(at);
      const token = this.#tokens[at];
      if (token === undefined || token.kind === "one") return;
    }
  }
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
    `Cannot read the pattern ${JSON.stringify(text)}: a bracket or an escape is not closed, or it is ! alone`,
    { code: "E_PATTERN_INVALID" },
  );
}
