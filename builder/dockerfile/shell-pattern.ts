/** A pattern of `${v#p}` and its like: characters, `*` (any run) and `?` (any one). */
export type ShellPattern = readonly (string | { readonly any: "one" | "run" })[];

/** Reads a pattern; a backslash takes the next character as it is. */
export function shellPattern(text: string): ShellPattern {
  const pattern: (string | { readonly any: "one" | "run" })[] = [];
  const chars = [...text];
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] ?? "";
    if (char === "*") pattern.push({ any: "run" });
    else if (char === "?") pattern.push({ any: "one" });
    else if (char === "\\") pattern.push(chars[++at] ?? "\\");
    else pattern.push(char);
  }
  return pattern;
}

/**
 * Lengths at which the pattern matches from `start`, shortest first. All ways are followed at once, so that no pattern
 * takes longer than its length times the text's.
 */
function* matchLengths(text: readonly string[], start: number, pattern: ShellPattern): Generator<number> {
  let states = closure(new Set([0]), pattern);
  for (let at = start; ; at++) {
    if (states.has(pattern.length)) yield at - start;
    const char = text[at];
    if (char === undefined) return;
    const next = new Set<number>();
    for (const state of states) {
      const part = pattern[state];
      if (part === undefined) continue;
      if (typeof part === "string") {
        if (part === char) next.add(state + 1);
      } else next.add(part.any === "run" ? state : state + 1);
    }
    if (next.size === 0) return;
    states = closure(next, pattern);
  }
}

/** A run may be empty: what is behind it is reached as well. */
function closure(states: Set<number>, pattern: ShellPattern): Set<number> {
  for (const state of states) {
    const part = pattern[state];
    if (part !== undefined && typeof part !== "string" && part.any === "run") states.add(state + 1);
  }
  return states;
}

/** Length of the longest match at a place; undefined without one. */
export function longestMatch(text: readonly string[], start: number, pattern: ShellPattern): number | undefined {
  let longest: number | undefined;
  for (const length of matchLengths(text, start, pattern)) longest = length;
  return longest;
}

/** The text without the shortest (or longest) start that matches. */
export function trimPrefix(text: string, pattern: ShellPattern, longest: boolean): string {
  const chars = [...text];
  const length = longest ? longestMatch(chars, 0, pattern) : matchLengths(chars, 0, pattern).next().value;
  return typeof length === "number" ? chars.slice(length).join("") : text;
}

/** The text without the shortest (or longest) end that matches. */
export function trimSuffix(text: string, pattern: ShellPattern, longest: boolean): string {
  const reversed = [...text].toReversed().join("");
  return [...trimPrefix(reversed, pattern.toReversed(), longest)].toReversed().join("");
}
