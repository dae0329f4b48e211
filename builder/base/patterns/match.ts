import { TsbuildError } from "../../../native/errors.ts";

type Part =
  | { readonly kind: "char"; readonly char: string }
  | { readonly kind: "one" }
  | { readonly kind: "run" }
  | { readonly kind: "class"; readonly negated: boolean; readonly ranges: readonly (readonly [string, string])[] };

/**
 * A matcher with the semantics of Go's filepath.Match: `*` and `?` do not cross `/`, `[a-z]` and `[^a]` are classes,
 * `\` takes the next character. The whole name must match. @throws E_PATTERN_INVALID
 */
export function compilePattern(pattern: string): (name: string) => boolean {
  const parts = parse(pattern);
  return (name) => matches(parts, [...name]);
}

function parse(pattern: string): readonly Part[] {
  const chars = [...pattern];
  const parts: Part[] = [];
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] ?? "";
    if (char === "*") parts.push({ kind: "run" });
    else if (char === "?") parts.push({ kind: "one" });
    else if (char === "[") {
      const parsed = parseClass(chars, at + 1, pattern);
      parts.push(parsed.part);
      at = parsed.end;
    } else if (char === "\\") {
      if (at + 1 >= chars.length) throw invalid(pattern);
      parts.push({ kind: "char", char: chars[++at] ?? "" });
    } else parts.push({ kind: "char", char });
  }
  return parts;
}

function parseClass(chars: readonly string[], start: number, pattern: string): { part: Part; end: number } {
  let at = start;
  const negated = chars[at] === "^";
  if (negated) at++;
  const ranges: [string, string][] = [];
  const one = (): string => {
    let char = chars[at++];
    if (char === "\\") char = chars[at++];
    else if (char === "-" || char === "]") throw invalid(pattern);
    if (char === undefined || at >= chars.length) throw invalid(pattern);
    return char;
  };
  while (chars[at] !== "]" || ranges.length === 0) {
    const low = one();
    let high = low;
    if (chars[at] === "-") {
      at++;
      high = one();
    }
    ranges.push([low, high]);
  }
  return { part: { kind: "class", negated, ranges }, end: at };
}

/** Goes back to the last `*` only: each `*` starts afresh, so that the time is the product of the lengths at most. */
function matches(parts: readonly Part[], name: readonly string[]): boolean {
  let [p, n] = [0, 0];
  let star = -1;
  let resume = 0;
  while (n < name.length || p < parts.length) {
    const part = parts[p];
    if (part?.kind === "run") {
      star = p++;
      resume = n;
      continue;
    }
    if (part !== undefined && n < name.length && matchOne(part, name[n] ?? "")) {
      p++;
      n++;
      continue;
    }
    if (star < 0 || resume >= name.length || name[resume] === "/") return false;
    p = star + 1;
    n = ++resume;
  }
  return true;
}

function matchOne(part: Part, char: string): boolean {
  if (part.kind === "char") return part.char === char;
  if (part.kind !== "class") return part.kind === "one" && char !== "/";
  const code = char.codePointAt(0) ?? 0;
  const inside = part.ranges.some(
    ([low, high]) => (low.codePointAt(0) ?? 0) <= code && code <= (high.codePointAt(0) ?? 0),
  );
  return inside !== part.negated;
}

function invalid(pattern: string): TsbuildError {
  return new TsbuildError(`Cannot read the pattern ${JSON.stringify(pattern)}: a bracket or an escape is not closed`, {
    code: "E_PATTERN_INVALID",
  });
}
