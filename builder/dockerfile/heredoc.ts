import { isSpace } from "./words.ts";

/** `[fd]<<[-]WORD` as found in an instruction's text. */
export interface HeredocStart {
  readonly name: string;
  readonly fd: number;
  readonly expand: boolean;
  readonly chomp: boolean;
  readonly start: number;
  readonly end: number;
}

/**
 * The heredocs that a line starts, outside quotes. A quoted part of the word turns expansion off.
 * @see BuildKit's parser, heredocsFromLine
 */
export function findHeredocs(text: string, escape: string): readonly HeredocStart[] {
  const found: HeredocStart[] = [];
  let quote = "";
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? "";
    if (char === escape && quote !== "'") at++;
    else if (quote !== "") quote = char === quote ? "" : quote;
    else if (char === "'" || char === '"') quote = char;
    else if (text.startsWith("<<", at)) {
      const heredoc = readHeredoc(text, at, escape);
      if (heredoc === undefined) at++;
      else {
        found.push(heredoc);
        at = heredoc.end - 1;
      }
    }
  }
  return found;
}

function readHeredoc(text: string, at: number, escape: string): HeredocStart | undefined {
  let first = at;
  while (first > 0 && /\d/.test(text[first - 1] ?? "")) first--;
  const digits = text.slice(first, at);
  // `a<<b` is no heredoc of the Dockerfile, nor is `<<<`.
  if ((first > 0 && !isSpace(text[first - 1] ?? "")) || text[at + 2] === "<") return undefined;
  let next = at + 2;
  const chomp = text[next] === "-";
  if (chomp) next++;
  while (text[next] === " " || text[next] === "\t") next++;
  const word = readWord(text, next, escape);
  if (word.name === "" && !word.quoted) return undefined;
  return {
    name: word.name,
    fd: digits === "" ? 0 : Number(digits),
    expand: !word.quoted,
    chomp,
    start: at - digits.length,
    end: word.end,
  };
}

function readWord(text: string, start: number, escape: string): { name: string; quoted: boolean; end: number } {
  let name = "";
  let quote = "";
  let quoted = false;
  let at = start;
  for (; at < text.length; at++) {
    const char = text[at] ?? "";
    if (quote === "" && (isSpace(char) || "<>;&|()".includes(char))) break;
    if (char === escape && quote !== "'") {
      quoted = true;
      name += text[++at] ?? "";
    } else if (quote === "" && (char === "'" || char === '"')) {
      quote = char;
      quoted = true;
    } else if (char === quote) quote = "";
    else name += char;
  }
  return { name, quoted, end: at };
}
