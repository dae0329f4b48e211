import { TsbuildError } from "../../native/errors.ts";

/** A pattern of `${v#p}` and its like: runs of characters, each pair with a `*` between them. */
export type ShellPattern = readonly Segment[];

/** What stands between two stars: pieces of plain text, and how many `?` (any character but a newline) are in a row. */
interface Segment {
  readonly pieces: readonly (readonly number[] | number)[];
  readonly length: number;
}

/** Characters as numbers. */
export type Codes = Int32Array<ArrayBuffer>;

const newline = 10;
/** Steps that matching may take in one word: about a second. */
const maxSteps = 1 << 29;

/** Counts the steps of all matching in one word. */
export class MatchBudget {
  #left = maxSteps;

  /** @throws E_EXPAND when there were too many */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left >= 0) return;
    throw new TsbuildError("patterns and values of this size take too long to match", { code: "E_EXPAND" });
  }
}

export function toCodes(text: string): Codes {
  return Int32Array.from(text, (char) => char.codePointAt(0) ?? 0);
}

export function fromCodes(codes: Codes): string {
  const parts: string[] = [];
  for (let at = 0; at < codes.length; at += 8192) parts.push(String.fromCodePoint(...codes.subarray(at, at + 8192)));
  return parts.join("");
}

/**
 * Reads a pattern: `*` is any run and `?` any one character of one line; a backslash takes `*`, `?` and itself as they
 * are, and is nothing before `}` and `/`. @throws E_EXPAND for a backslash before anything else
 */
export function shellPattern(text: string): ShellPattern {
  const chars = [...text];
  const segments: (number[] | number)[][] = [[]];
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] ?? "";
    if (char === "*") segments.push([]);
    else if (char === "?") addAny(segments.at(-1) ?? []);
    else if (char === "\\") {
      const next = chars[++at];
      if (next === undefined || !"*?\\}/".includes(next)) throw invalidEscape(text, next);
      addCharacter(segments.at(-1) ?? [], next);
    } else addCharacter(segments.at(-1) ?? [], char);
  }
  return segments.map((pieces) => ({
    pieces,
    length: pieces.reduce<number>((sum, piece) => sum + (typeof piece === "number" ? piece : piece.length), 0),
  }));
}

function addAny(pieces: (number[] | number)[]): void {
  const last = pieces.at(-1);
  if (typeof last === "number") pieces[pieces.length - 1] = last + 1;
  else pieces.push(1);
}

function addCharacter(pieces: (number[] | number)[], char: string): void {
  const code = char.codePointAt(0) ?? 0;
  const last = pieces.at(-1);
  if (Array.isArray(last)) last.push(code);
  else pieces.push([code]);
}

/** The pattern backwards: for the shortest and longest end of a text. An escape stays before what it escapes. */
function reversePattern(text: string): string {
  return [...text.matchAll(/\\.|./gsu)]
    .map(([part]) => part)
    .toReversed()
    .join("");
}

/**
 * Where the match that begins at each place ends; -1 without one. `longest`: every `*` takes as much as it can, from
 * the first on, otherwise as little. The time is that of the text for each piece of the pattern.
 * @throws E_EXPAND when that is too much
 */
export function matchEnds(text: Codes, pattern: ShellPattern, longest: boolean, budget: MatchBudget): Codes {
  let ends = Int32Array.from({ length: text.length + 1 }, (_, at) => at);
  for (const [back, segment] of pattern.toReversed().entries()) {
    budget.spend((text.length + 1) * (segment.pieces.length + 2));
    if (back > 0) spread(ends, text, longest);
    if (segment.length > 0) ends = segmentEnds(ends, text, segment);
  }
  return ends;
}

/** From where the rest after a `*` matches to where the `*` itself does. */
function spread(ends: Codes, text: Codes, longest: boolean): void {
  for (let at = text.length - 1; at >= 0; at--) {
    if (text[at] === newline) continue;
    const later = ends[at + 1] ?? -1;
    if (later >= 0 && (longest || (ends[at] ?? -1) < 0)) ends[at] = later;
  }
}

function segmentEnds(after: Codes, text: Codes, { pieces, length }: Segment): Codes {
  const places = text.length - length + 1;
  const fits = new Uint8Array(Math.max(0, places)).fill(1);
  let offset = 0;
  for (const piece of pieces) {
    const found = typeof piece === "number" ? linesOf(text, piece) : occurrences(text, piece);
    for (let at = 0; at < places; at++) fits[at] = (fits[at] ?? 0) & (found[at + offset] ?? 0);
    offset += typeof piece === "number" ? piece : piece.length;
  }
  const ends = new Int32Array(text.length + 1).fill(-1);
  for (let at = 0; at < places; at++) if (fits[at] === 1) ends[at] = after[at + length] ?? -1;
  return ends;
}

/** From which places on so many characters are in one line. */
function linesOf(text: Codes, count: number): Uint8Array {
  const found = new Uint8Array(text.length + 1);
  let clear = 0;
  for (let at = text.length - 1; at >= 0; at--) {
    clear = text[at] === newline ? 0 : clear + 1;
    found[at] = Number(clear >= count);
  }
  return found;
}

/** At which places the characters stand, by Knuth, Morris and Pratt: a text of one letter takes no longer. */
function occurrences(text: Codes, wanted: readonly number[]): Uint8Array {
  const found = new Uint8Array(text.length + 1);
  const borders = bordersOf(wanted);
  let matched = 0;
  for (let at = 0; at < text.length; at++) {
    while (matched > 0 && wanted[matched] !== text[at]) matched = borders[matched - 1] ?? 0;
    if (wanted[matched] === text[at]) matched++;
    if (matched < wanted.length) continue;
    found[at + 1 - matched] = 1;
    matched = borders[matched - 1] ?? 0;
  }
  return found;
}

/** For each start of the characters the length of the longest end of it that is a start too. */
function bordersOf(wanted: readonly number[]): Int32Array {
  const borders = new Int32Array(wanted.length);
  for (let at = 1, matched = 0; at < wanted.length; at++) {
    while (matched > 0 && wanted[matched] !== wanted[at]) matched = borders[matched - 1] ?? 0;
    if (wanted[matched] === wanted[at]) matched++;
    borders[at] = matched;
  }
  return borders;
}

/** The text without the shortest (or longest) start that matches. */
export function trimPrefix(text: string, pattern: string, longest: boolean, budget: MatchBudget): string {
  const codes = toCodes(text);
  const [end = -1] = matchEnds(codes, shellPattern(pattern), longest, budget);
  return end < 0 ? text : fromCodes(codes.subarray(end));
}

/** The text without the shortest (or longest) end that matches. */
export function trimSuffix(text: string, pattern: string, longest: boolean, budget: MatchBudget): string {
  const reversed = [...text].toReversed().join("");
  return [...trimPrefix(reversed, reversePattern(pattern), longest, budget)].toReversed().join("");
}

function invalidEscape(pattern: string, char: string | undefined): TsbuildError {
  return new TsbuildError(`the pattern ${pattern} escapes ${char ?? "nothing"}`, {
    code: "E_EXPAND",
    hint: "a backslash in a pattern stands before *, ?, } or / or another backslash",
  });
}
