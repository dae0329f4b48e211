import { expandWord, expandWords, type Expanded } from "./expand.ts";

/** `[fd]<<[-]WORD` as found in an instruction's text. */
export interface HeredocStart {
  readonly name: string;
  readonly fd: number;
  /** False when a part of WORD was quoted. */
  readonly expand: boolean;
  readonly chomp: boolean;
}

/** One with its range in the text it was found in. */
export interface FoundHeredoc extends HeredocStart {
  readonly start: number;
  readonly end: number;
}

const form = /^(?<fd>\d*)<<(?<chomp>-?)(?<rest>[^<]*)$/;
const blanks = /^[\t\n\f\r ]+/;
const noVariables: ReadonlyMap<string, string> = new Map();
const asWritten = { quotes: true, escapes: true, unset: true };

/**
 * The heredocs that the line of an instruction starts: its words that are one. A line whose quotes or braces are not
 * closed has none. @see BuildKit's parser, heredocsFromLine
 */
export function findHeredocs(line: string): readonly FoundHeredoc[] {
  const found: FoundHeredoc[] = [];
  let at = 0;
  for (const word of wordsOf(line)) {
    const start = line.indexOf(word, at);
    if (start >= 0) at = start + word.length;
    const heredoc = readHeredoc(word);
    if (heredoc === undefined) continue;
    found.push({ ...heredoc, start: Math.max(start, 0), end: start < 0 ? line.length : at });
  }
  return found;
}

/** The heredoc that a word (or all of a RUN's text) is. The escape character is always the backslash here. */
export function readHeredoc(text: string): HeredocStart | undefined {
  const { fd = "", chomp, rest = "" } = form.exec(text)?.groups ?? {};
  const word = rest.replace(blanks, "");
  if (word === "") return undefined;
  const read = (quotes: boolean): readonly string[] =>
    attempt(() => expandWords(word, noVariables, { escape: "\\", keep: { unset: true, quotes } }));
  const [name, more] = read(false);
  const [raw = ""] = read(true);
  if (name === undefined || more !== undefined) return undefined;
  return { name, fd: Number(fd), expand: countQuotes(name) === countQuotes(raw), chomp: chomp === "-" };
}

/** The body of a COPY's or ADD's heredoc: variables are expanded, quotes stay, a backslash is an escape. @throws E_EXPAND */
export function expandBody(body: string, env: ReadonlyMap<string, string>): Expanded {
  return expandWord(body, env, { escape: "\\", plainQuotes: true });
}

/** Whether a heredoc's word can be the name of the file that it becomes. */
export function isFileName(name: string): boolean {
  return !/[/\0]|^\.{1,2}$/.test(name) && Buffer.byteLength(name) <= 255;
}

function wordsOf(line: string): readonly string[] {
  return attempt(() => expandWords(line, noVariables, { escape: "\\", keep: asWritten }));
}

/** What cannot be read as words is none. */
function attempt(read: () => readonly string[]): readonly string[] {
  try {
    return read();
  } catch {
    return [];
  }
}

function countQuotes(text: string): number {
  return text.replace(/[^'"]/g, "").length;
}
