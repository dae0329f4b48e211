import { TsbuildError } from "../../native/errors.ts";

/** A pattern of `${v#p}` and its like: runs of `characters | one`, each pair with a `*` between them. */
export interface ShellPattern {
  /** `undefined` is `?`: any one character but a newline. */
  readonly segments: readonly (readonly (string | undefined)[])[];
  /** Characters of the pattern as written, for the bound on time. */
  readonly length: number;
}

/** Steps that matching may take: about a quarter of a second. */
const maxSteps = 1 << 26;

/**
 * Reads a pattern: `*` is any run and `?` any one character of one line; a backslash takes `*`, `?` and itself as they
 * are, and is nothing before `}` and `/`. @throws E_EXPAND for a backslash before anything else
 */
export function shellPattern(text: string): ShellPattern {
  const chars = [...text];
  const segments: (string | undefined)[][] = [[]];
  for (let at = 0; at < chars.length; at++) {
    let char: string | undefined = chars[at];
    if (char === "*") {
      segments.push([]);
      continue;
    }
    if (char === "?") char = undefined;
    else if (char === "\\") {
      char = chars[++at];
      if (char === undefined || !"*?\\}/".includes(char)) throw invalidEscape(text, char);
    }
    segments.at(-1)?.push(char);
  }
  return { segments, length: chars.length };
}

/** The pattern backwards: for the shortest and longest end of a text. An escape stays before what it escapes. */
export function reversePattern(text: string): string {
  return [...text.matchAll(/\\.|./gsu)]
    .map(([part]) => part)
    .toReversed()
    .join("");
}

/**
 * Where the match that begins at each place ends; -1 without one. `longest`: every `*` takes as much as it can, from
 * the first on, otherwise as little. Takes the product of the lengths at most. @throws E_EXPAND when that is too much
 */
export function matchEnds(text: readonly string[], pattern: ShellPattern, longest: boolean): Int32Array {
  if ((text.length + 1) * (pattern.length + 1) > maxSteps) {
    throw new TsbuildError("a pattern and a value of this size take too long to match", { code: "E_EXPAND" });
  }
  let ends = Int32Array.from({ length: text.length + 1 }, (_, at) => at);
  for (const [back, segment] of pattern.segments.toReversed().entries()) {
    if (back > 0) spread(ends, text, longest);
    ends = segmentEnds(ends, text, segment);
  }
  return ends;
}

/** From where the rest after a `*` matches to where the `*` itself does. */
function spread(ends: Int32Array, text: readonly string[], longest: boolean): void {
  for (let at = text.length - 1; at >= 0; at--) {
    if (text[at] === "\n") continue;
    const later = ends[at + 1] ?? -1;
    if (later >= 0 && (longest || (ends[at] ?? -1) < 0)) ends[at] = later;
  }
}

function segmentEnds(
  after: Int32Array<ArrayBuffer>,
  text: readonly string[],
  segment: readonly (string | undefined)[],
): Int32Array<ArrayBuffer> {
  if (segment.length === 0) return after;
  return after.map((_, start) => {
    for (const [at, char] of segment.entries()) {
      const found = text[start + at];
      if (found === undefined || (char === undefined ? found === "\n" : found !== char)) return -1;
    }
    return after[start + segment.length] ?? -1;
  });
}

/** The text without the shortest (or longest) start that matches. */
export function trimPrefix(text: string, pattern: string, longest: boolean): string {
  const chars = [...text];
  const [end = -1] = matchEnds(chars, shellPattern(pattern), longest);
  return end < 0 ? text : chars.slice(end).join("");
}

/** The text without the shortest (or longest) end that matches. */
export function trimSuffix(text: string, pattern: string, longest: boolean): string {
  const reversed = [...text].toReversed().join("");
  return [...trimPrefix(reversed, reversePattern(pattern), longest)].toReversed().join("");
}

function invalidEscape(pattern: string, char: string | undefined): TsbuildError {
  return new TsbuildError(`the pattern ${pattern} escapes ${char ?? "nothing"}`, {
    code: "E_EXPAND",
    hint: "a backslash in a pattern stands before *, ?, } or / or another backslash",
  });
}
