import { fromCodes, matchEnds, toCodes, type MatchBudget, type ShellPattern } from "./shell-pattern.ts";

/** What `${v/p/r}` looks for and puts in its place. */
export interface Replacement {
  readonly pattern: ShellPattern;
  readonly replacement: string;
  readonly budget: MatchBudget;
}

/** The text with the first match replaced. */
export function replaceFirst(text: string, { pattern, replacement, budget }: Replacement): string {
  const codes = toCodes(text);
  const ends = matchEnds(codes, pattern, true, budget);
  const start = ends.findIndex((end) => end >= 0);
  if (start < 0) return text;
  return fromCodes(codes.subarray(0, start)) + replacement + fromCodes(codes.subarray(ends[start]));
}

/**
 * The text with every match replaced; `$0` in the replacement is the match, another `$name` nothing. `count` is told of
 * each piece. @see Go's regexp ReplaceAllString, which BuildKit uses
 */
export function replaceAll(
  text: string,
  { pattern, replacement, budget }: Replacement,
  count: (length: number) => void,
): string {
  const codes = toCodes(text);
  const ends = matchEnds(codes, pattern, true, budget);
  const parts = templateParts(replacement);
  const plain = parts.reduce((sum, part) => sum + part.length, 0);
  let result = "";
  let done = 0;
  for (let at = 0; at <= codes.length;) {
    const end = ends[at] ?? -1;
    if (end < 0) {
      at++;
      continue;
    }
    result += fromCodes(codes.subarray(done, at));
    // An empty match right after another one is none.
    if (end > done || at === 0) {
      const match = parts.length === 1 ? "" : fromCodes(codes.subarray(at, end));
      count(plain + (parts.length - 1) * match.length);
      result += parts.join(match);
    }
    done = end;
    at = Math.max(end, at + 1);
  }
  return result + fromCodes(codes.subarray(done));
}

const variable = /\$(?:\$|([\p{L}\p{Nd}_]+)|\{([\p{L}\p{Nd}_]+)\})/gu;

/** The template's text between the places where the match goes: read once, however many matches there are. */
function templateParts(template: string): readonly string[] {
  const parts = [""];
  let done = 0;
  const add = (text: string): void => void parts.push((parts.pop() ?? "") + text);
  for (const found of template.matchAll(variable)) {
    add(template.slice(done, found.index));
    done = found.index + found[0].length;
    if (found[0] === "$$") add("$");
    else if ((found[1] ?? found[2]) === "0") parts.push("");
  }
  add(template.slice(done));
  return parts;
}
