import { isSpace } from "./words.ts";

/** A `--name[=value]` with its quotes resolved, and its place in the text. */
export interface CutFlag {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/**
 * Takes the flags off the front of an instruction's arguments: words that begin with `--`, up to the first that does
 * not or to a bare `--`. Quotes group, a backslash takes the next character. @see BuildKit's extractBuilderFlags
 */
export function cutFlags(text: string): { readonly flags: readonly CutFlag[]; readonly rest: number } {
  const flags: CutFlag[] = [];
  let at = 0;
  for (;;) {
    while (at < text.length && isSpace(text[at] ?? "")) at++;
    if (!text.startsWith("--", at)) return { flags, rest: at };
    const start = at;
    let word = "";
    let quote = "";
    for (; at < text.length; at++) {
      const char = text[at] ?? "";
      if (quote === "" && isSpace(char)) break;
      if (char === "\\") {
        if (at + 1 < text.length) word += text[++at] ?? "";
      } else if (quote === "" && (char === "'" || char === '"')) quote = char;
      else if (char === quote) quote = "";
      else word += char;
    }
    if (word === "--") return { flags, rest: at };
    flags.push({ text: word, start, end: at });
  }
}
