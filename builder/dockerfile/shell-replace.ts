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
  count: (piece: string) => void,
): string {
  const codes = toCodes(text);
  const ends = matchEnds(codes, pattern, true, budget);
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
      const piece = fillTemplate(replacement, () => fromCodes(codes.subarray(at, end)));
      count(piece);
      result += piece;
    }
    done = end;
    at = Math.max(end, at + 1);
  }
  return result + fromCodes(codes.subarray(done));
}

const variable = /\$(?:\$|(?<plain>[\p{L}\p{Nd}_]+)|\{(?<braced>[\p{L}\p{Nd}_]+)\})/gu;

function fillTemplate(template: string, match: () => string): string {
  if (!template.includes("$")) return template;
  return template.replace(variable, (whole, plain?: string, braced?: string) => {
    if (whole === "$$") return "$";
    return (plain ?? braced) === "0" ? match() : "";
  });
}
