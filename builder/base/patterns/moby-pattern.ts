import { readMobyRegexp } from "./moby-regexp.ts";
import { compileTokens } from "./path-automaton.ts";

/** Signs of regular expressions that mean nothing in a pattern. */
const escapes = new Set(".+()|{}$");

/**
 * A test of paths by one cleaned pattern without its `!`, as moby's patternmatcher has it: it makes a regular expression
 * of the pattern, so that `\d` is a digit and a class may match a slash. undefined: it cannot be read.
 */
export function compileMobyPattern(pattern: string): ((path: string) => boolean) | undefined {
  const chars = [...pattern];
  const { kind, source } = translate(chars);
  const text = (from: number, to?: number): string => chars.slice(from, to).join("");
  if (kind === "exact") return (path) => path === pattern;
  if (kind === "prefix") {
    const start = text(0, -2);
    return (path) => path.startsWith(start);
  }
  if (kind === "suffix") {
    const end = text(2);
    return (path) => path.endsWith(end) || (end.startsWith("/") && path === end.slice(1));
  }
  const tokens = readMobyRegexp(source);
  return tokens === undefined ? undefined : compileTokens(tokens);
}

type Kind = "exact" | "prefix" | "suffix" | "regexp";

/** What kind of test a pattern needs, and the regular expression without its ends. */
function translate(chars: readonly string[]): { readonly kind: Kind; readonly source: readonly string[] } {
  const source: string[] = [];
  let kind: Kind = "exact";
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] ?? "";
    const first = at === 0;
    if (char === "*" && chars[at + 1] === "*") {
      at += chars[at + 2] === "/" ? 2 : 1;
      const last = at + 1 >= chars.length;
      source.push(...(last ? ".*" : "(.*/)?"));
      kind = last && kind === "exact" ? "prefix" : "regexp";
      if (first) kind = "suffix";
      continue;
    }
    if (char === "*" || char === "?") source.push(..."[^/]", ...(char === "*" ? char : ""));
    else if (escapes.has(char)) source.push("\\", char);
    else if (char === "\\") source.push(char, chars[++at] ?? "");
    else source.push(char);
    if ("*?[]\\".includes(char)) kind = "regexp";
  }
  return { kind, source };
}
