import { posix } from "node:path";

/**
 * Go's filepath.Match by trying everything, written from its documentation: pattern and name are cut at their first sign.
 * undefined: the pattern is malformed. "unclear": Go never tries an earlier `*` again, which only shows where a class takes
 * a slash: it has it that `*[/-c]*` does not match `a/`.
 */
export function referenceGlob(pattern: string, name: string): boolean | undefined | "unclear" {
  const glob = readGlob([...pattern]);
  if (glob === undefined) return undefined;
  return glob.crosses && name.includes("/") ? "unclear" : tryGlob(glob.parts, [...name]);
}

type GlobPart = "*" | ((char: string) => boolean);

/** `crosses`: a class takes a slash. */
function readGlob(
  pattern: readonly string[],
): { readonly parts: readonly GlobPart[]; readonly crosses: boolean } | undefined {
  const parts: GlobPart[] = [];
  let crosses = false;
  let at = 0;
  while (at < pattern.length) {
    const char = pattern[at++];
    // Of several in a row one does: trying them all would take for ever.
    if (char === "*" && parts.at(-1) !== "*") parts.push("*");
    else if (char === "*") continue;
    else if (char === "?") parts.push((one) => one !== "/");
    else if (char === "\\") {
      const literal = pattern[at++];
      if (literal === undefined) return undefined;
      parts.push((one) => one === literal);
    } else if (char === "[") {
      const found = readRanges(pattern, at);
      if (found === undefined) return undefined;
      parts.push(found.test);
      crosses ||= found.test("/");
      at = found.end;
    } else parts.push((one) => one === char);
  }
  return { parts, crosses };
}

function readRanges(
  pattern: readonly string[],
  start: number,
): { test: (char: string) => boolean; end: number } | undefined {
  let at = start;
  const negated = pattern[at] === "^";
  if (negated) at++;
  const ranges: [number, number][] = [];
  const bound = (): number | undefined => {
    const escaped = pattern[at] === "\\";
    if (!escaped && (pattern[at] === "-" || pattern[at] === "]")) return undefined;
    if (escaped) at++;
    const point = pattern[at++]?.codePointAt(0);
    return at < pattern.length ? point : undefined;
  };
  while (ranges.length === 0 || pattern[at] !== "]") {
    const low = bound();
    if (low === undefined) return undefined;
    let high: number | undefined = low;
    if (pattern[at] === "-") {
      at++;
      high = bound();
    }
    if (high === undefined) return undefined;
    ranges.push([low, high]);
  }
  const test = (char: string): boolean =>
    ranges.some(([low, high]) => low <= point(char) && point(char) <= high) !== negated;
  return { test, end: at + 1 };
}

function point(char: string): number {
  return char.codePointAt(0) ?? 0;
}

function tryGlob(parts: readonly GlobPart[], name: readonly string[]): boolean {
  const [part, ...rest] = parts;
  if (part === undefined) return name.length === 0;
  if (part !== "*") return name[0] !== undefined && part(name[0]) && tryGlob(rest, name.slice(1));
  for (let count = 0; count <= name.length; count++) {
    if (tryGlob(rest, name.slice(count))) return true;
    if (name[count] === "/") return false;
  }
  return false;
}

/**
 * moby's patternmatcher, by its translation into regular expressions. undefined: there is something in it that means one
 * thing in Go's regular expressions and another in JavaScript's.
 */
export function referenceIgnore(text: string, path: string): boolean | undefined {
  if (/\\[^\x20-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]|\[[^\]]*[*?\\[:]|\^|[\x80-\uffff]/.test(text)) return undefined;
  const patterns = text
    .replace(/^\ufeff/, "")
    .split("\n")
    .flatMap(readLine);
  const tests = patterns.map(({ pattern, negated }) => ({ negated, test: mobyRegExp(pattern) }));
  // As BuildKit walks: a directory hands down what matched it, and what was not looked at counts as no match.
  let matched = false;
  let handed: readonly boolean[] | undefined;
  const names = path.split("/");
  for (const [depth] of names.entries()) {
    const current = names.slice(0, depth + 1).join("/");
    matched = false;
    const found: boolean[] = [];
    for (const [at, { negated, test }] of tests.entries()) {
      const own = handed?.[at] === true || (negated === matched && test(current));
      found.push(own);
      if (own) matched = !negated;
    }
    handed = found;
  }
  return matched;
}

function readLine(line: string): readonly { readonly pattern: string; readonly negated: boolean }[] {
  const trimmed = line.startsWith("#") ? "" : line.trim();
  if (trimmed === "") return [];
  const inverted = trimmed.startsWith("!");
  const bare = inverted ? trimmed.slice(1).trim() : trimmed;
  const listed = bare === "" ? "" : goClean(bare).replace(/^\/(?=.)/, "");
  // The list is read once more: a slash that was before a ! is gone.
  const clean = goClean((inverted ? `!${listed}` : listed).trim());
  const negated = clean.startsWith("!");
  return [{ pattern: negated ? clean.slice(1) : clean, negated }];
}

function goClean(path: string): string {
  const clean = posix.normalize(path);
  return clean.length > 1 ? clean.replace(/\/$/, "") : clean;
}

function mobyRegExp(pattern: string): (path: string) => boolean {
  const chars = [...pattern];
  let source = "";
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] ?? "";
    if (char === "*" && chars[at + 1] === "*") {
      at++;
      if (chars[at + 1] === "/") at++;
      source += at + 1 >= chars.length ? "[^\n]*" : "(?:[^\n]*/)?";
    } else if (char === "*") source += "[^/]*";
    else if (char === "?") source += "[^/]";
    else if (char === "\\") source += escape(chars[++at] ?? "\\\\");
    else if (char === "[") {
      const found = readRanges(chars, at + 1);
      if (found === undefined) throw new RangeError("checked before");
      source += classSource(chars.slice(at, found.end));
      at = found.end - 1;
    } else source += escape(char);
  }
  // `**name` alone is told apart by moby: any path with that end.
  const suffix = /^\*\*([^*?[\]\\]*)$/.exec(pattern)?.[1];
  if (suffix !== undefined) return (path) => path.endsWith(suffix) || `/${path}` === suffix;
  // `name**` alone is: any path with that start.
  const prefix = /^([^*?[\]\\]+)\*\*$/.exec(pattern);
  if (prefix !== null) return (path) => path.startsWith(prefix[1] ?? "");
  const compiled = new RegExp(`^${source}$`, "u");
  return (path) => compiled.test(path);
}

function escape(char: string): string {
  return `\\u{${point(char).toString(16)}}`;
}

function classSource(chars: readonly string[]): string {
  const inner = chars.slice(1, -1);
  let source = "";
  for (let at = 0; at < inner.length; at++) {
    const char = inner[at] ?? "";
    if ((char === "^" && at === 0) || char === "-") source += char;
    else source += escape(char === "\\" ? (inner[++at] ?? "") : char);
  }
  return `[${source}]`;
}
