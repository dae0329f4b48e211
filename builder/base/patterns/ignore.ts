import { posix } from "node:path";
import { TsbuildError } from "../../../native/errors.ts";
import { PathPatterns, type ParentMatches } from "./path-patterns.ts";

interface Pattern {
  readonly text: string;
  readonly line: number;
}

/** What an ignore file hides; paths have no leading slash. */
export interface IgnoreMatcher {
  readonly file: string;
  /** The whole file: two matchers of the same text decide the same. */
  readonly text: string;
  excludes(path: string): boolean;
  /** The patterns as read, in order; `!` in front takes back. */
  readonly patterns: readonly string[];
  /** The same for one path as it was written, which is looked at alone. */
  hides(path: string): boolean;
  /** Whether a hidden directory needs not be looked into: no `!` pattern can show anything below it. */
  canPrune(directory: string): boolean;
  /** `FILE line N: pattern`, of the last line that hides the path. */
  whichLine(path: string): string | undefined;
}

/** Directories whose matches are remembered at once. */
const maxRemembered = 20_000;

/**
 * The patterns of an ignore file, as moby reads them; undefined when it hides nothing. @see features X1
 * @throws E_PATTERN_INVALID with the line
 */
export function parseIgnore(text: string, file: string): IgnoreMatcher | undefined {
  const lines = readPatterns(text);
  if (lines.length === 0) return undefined;
  for (const line of lines) checkLine(line, file);
  const patterns = new PathPatterns(lines.map((line) => line.text));
  const directories = new Map<string, ParentMatches>();
  const below = (directory: string): ParentMatches | undefined => {
    if (directory === ".") return undefined;
    let known = directories.get(directory);
    if (known === undefined) {
      known = patterns.match(directory, below(posix.dirname(directory))).below;
      if (directories.size >= maxRemembered) directories.clear();
      directories.set(directory, known);
    }
    return known;
  };
  return {
    file,
    text,
    patterns: lines.map((line) => line.text),
    hides: (path) => patterns.match(path, undefined).matched,
    excludes: (path) => patterns.match(path, below(posix.dirname(path))).matched,
    canPrune: (directory) => !patterns.mayShowBelow(directory),
    whichLine(path) {
      const hiding = lines.filter((line) => !line.text.startsWith("!"));
      const at = hiding.findLast((line) => new PathPatterns([line.text]).match(path, undefined).matched);
      return at === undefined ? undefined : `${file} line ${at.line}: ${at.text}`;
    },
  };
}

/** Comments and empty lines apart; cleaned, and without the slash in front. */
function readPatterns(text: string): readonly Pattern[] {
  const lines = text.replace(/^\ufeff/, "").split("\n");
  return lines.flatMap((raw, at) => {
    const trimmed = raw.startsWith("#") ? "" : raw.trim();
    if (trimmed === "") return [];
    const negated = trimmed.startsWith("!");
    const pattern = negated ? trimmed.slice(1).trim() : trimmed;
    const clean =
      pattern === ""
        ? ""
        : posix
            .normalize(pattern)
            .replace(/(.)\/$/, "$1")
            .replace(/^\/(?=.)/, "");
    return [{ text: negated ? `!${clean}` : clean, line: at + 1 }];
  });
}

function checkLine({ text, line }: Pattern, file: string): void {
  try {
    new PathPatterns([text]);
  } catch (error) {
    if (!(error instanceof TsbuildError)) throw error;
    throw new TsbuildError(error.message, { code: error.code, cause: error, notes: [`${file} line ${line}`] });
  }
}
