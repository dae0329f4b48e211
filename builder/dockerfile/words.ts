/** A word as written, quotes and escapes kept, and where it is in the text it was cut from. */
export interface CutWord {
  readonly raw: string;
  readonly start: number;
  readonly end: number;
}

/** What Go's unicode.IsSpace takes for white space: a byte order mark is none. */
export function isSpace(char: string): boolean {
  return /^[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/.test(char);
}

/** How many characters of white space a text begins with. */
export function leadingSpace(text: string): number {
  let at = 0;
  while (at < text.length && isSpace(text[at] ?? "")) at++;
  return at;
}

/** The text without white space at both ends. */
export function trimSpace(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text[end - 1] ?? "")) end--;
  return text.slice(leadingSpace(text.slice(0, end)), end);
}

/**
 * Cuts a text at white space outside quotes. Quotes and escapes stay in the words. An escape at the very end is
 * dropped. @see BuildKit's parser, parseWords
 */
export function cutWords(text: string, escape: string, base: number = 0): readonly CutWord[] {
  const words: CutWord[] = [];
  let word = "";
  let start = -1;
  let quote = "";
  const close = (end: number): void => {
    if (start >= 0) words.push({ raw: word, start: base + start, end: base + end });
    word = "";
    start = -1;
  };
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? "";
    if (quote === "" && isSpace(char)) {
      close(at);
      continue;
    }
    if (start < 0) start = at;
    if (char === escape && quote !== "'") {
      if (at + 1 === text.length) continue;
      word += char + (text[++at] ?? "");
      continue;
    }
    if (quote === "" && (char === "'" || char === '"')) quote = char;
    else if (char === quote) quote = "";
    word += char;
  }
  close(text.length);
  return words.filter(({ raw }) => raw !== "");
}

/** Cuts at white space alone, quotes or not. */
export function cutAtSpaces(text: string, base: number = 0): readonly CutWord[] {
  return [...text.matchAll(/[^\t\v\f\r ]+/g)].map((match) => ({
    raw: match[0],
    start: base + match.index,
    end: base + match.index + match[0].length,
  }));
}

/** Whether the text is a JSON array that holds something else than strings: an error, where other text is a command. */
export function isMixedJson(text: string): boolean {
  if (!text.startsWith("[")) return false;
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && !value.every((one) => typeof one === "string");
  } catch {
    return false;
  }
}

/** The strings of a JSON array of strings; undefined when the text is anything else. */
export function parseJsonForm(text: string): readonly string[] | undefined {
  if (text[leadingSpace(text)] !== "[") return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (!Array.isArray(value) || !value.every((one) => typeof one === "string")) return undefined;
    // Half of a surrogate pair is no text.
    return value.map((one) => one.replaceAll(/\p{Surrogate}/gu, "\ufffd"));
  } catch {
    return undefined;
  }
}
