import { createRequire } from "node:module";
import { posix } from "node:path";

type Matcher = { readonly ignores: (path: string) => boolean; add(patterns: readonly string[]): Matcher };
const load = createRequire(import.meta.url);

interface Pattern {
  readonly text: string;
  readonly line: number;
  readonly negated: boolean;
}

/** What an ignore file hides; paths have no leading slash. */
export interface IgnoreMatcher {
  readonly file: string;
  /** The whole file: two matchers of the same text decide the same. */
  readonly text: string;
  excludes(path: string): boolean;
  /** Whether a hidden directory needs not be looked into: no `!` pattern may show anything below it. */
  canPrune(directory: string): boolean;
  /** `FILE line N: pattern`, of the last line that hides the path. */
  whichLine(path: string): string | undefined;
}

/** The patterns of an ignore file; undefined when it hides nothing. @see features X1 */
export function parseIgnore(text: string, file: string): IgnoreMatcher | undefined {
  const patterns = readPatterns(text);
  if (patterns.length === 0) return undefined;
  const whole = matcherOf(patterns);
  const shown = patterns.filter(({ negated }) => negated).map(({ text: one }) => one);
  return {
    file,
    text,
    excludes: whole,
    canPrune: (directory) => shown.every((pattern) => !mayMatchBelow(pattern, directory)),
    whichLine(path) {
      const at = patterns.findLast((pattern) => !pattern.negated && matcherOf([pattern])(path));
      return at === undefined ? undefined : `${file} line ${at.line}: ${at.text}`;
    },
  };
}

function readPatterns(text: string): readonly Pattern[] {
  const lines = text.replace(/^\ufeff/, "").split("\n");
  return lines.flatMap((raw, at) => {
    if (raw.startsWith("#")) return [];
    const trimmed = raw.trim();
    const negated = trimmed.startsWith("!");
    const pattern = negated ? trimmed.slice(1).trim() : trimmed;
    if (pattern === "") return [];
    const clean = posix
      .normalize(pattern)
      .replace(/(.)\/$/, "$1")
      .replace(/^\/(?=.)/, "");
    return [{ text: clean, line: at + 1, negated }];
  });
}

/** Never throws: a pattern that cannot be compiled matches nothing but itself. */
function matcherOf(patterns: readonly Pattern[]): (path: string) => boolean {
  const make: (options: { ignorecase: boolean }) => Matcher = load("@balena/dockerignore");
  const lines = patterns.map(({ text, negated }) => (negated ? `!${text}` : text));
  try {
    const matcher = make({ ignorecase: false }).add(lines);
    matcher.ignores("x");
    return (path) => matcher.ignores(path);
  } catch {
    const good = patterns.filter((pattern) => patterns.length > 1 && compiles(pattern, make));
    const rest = new Set(
      patterns.filter((pattern) => !good.includes(pattern) && !pattern.negated).map(({ text }) => text),
    );
    const matcher =
      good.length === 0
        ? undefined
        : make({ ignorecase: false }).add(good.map(({ text, negated }) => (negated ? `!${text}` : text)));
    return (path) => rest.has(path) || (matcher?.ignores(path) ?? false);
  }
}

function compiles(pattern: Pattern, make: (options: { ignorecase: boolean }) => Matcher): boolean {
  try {
    make({ ignorecase: false }).add([pattern.text]).ignores("x");
    return true;
  } catch {
    return false;
  }
}

/** Whether a pattern could match something below a directory: its fixed beginning leads there, or through it. */
function mayMatchBelow(pattern: string, directory: string): boolean {
  const wanted = directory.split("/");
  const parts = pattern.split("/");
  for (const [at, name] of wanted.entries()) {
    const part = parts[at];
    // The pattern names a parent: all below is shown again.
    if (part === undefined) return true;
    if (/[*?[\\]/.test(part)) return true;
    if (part !== name) return false;
  }
  return true;
}
