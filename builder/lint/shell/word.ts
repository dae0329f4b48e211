/** A word of a shell's text without its quotes; what it would expand stays as it is. `end`: behind it in the text. */
export interface ShellWord {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const closers: Readonly<Record<string, string>> = { "(": ")", "{": "}" };

/** Reads the word that begins at an offset: up to white space or an operator outside of quotes and substitutions. */
export function readWord(source: string, start: number): ShellWord {
  let text = "";
  let at = start;
  // What ends the quotes and substitutions that are open.
  const open: string[] = [];
  for (; at < source.length; at++) {
    const char = source[at] ?? "";
    const inner = open.at(-1);
    if (inner === undefined && /[\s;&|<>()]/.test(char)) break;
    // Quotes in substitutions are part of the word.
    const bare = open.length === 0 || (open.length === 1 && (inner === '"' || inner === "'"));
    if (char === "\\" && inner !== "'") {
      const next = source[++at] ?? "";
      if (next !== "\n") text += bare && (inner === undefined || /["$`\\]/.test(next)) ? next : char + next;
      continue;
    }
    const quoting = bare && (char === inner || (inner === undefined && (char === '"' || char === "'")));
    if (!quoting) text += char;
    if (char === inner) open.pop();
    else if (inner !== "'") at = openAt(source, at, open, (char) => (text += char));
  }
  return { text, start, end: Math.min(at, source.length) };
}

/** Notes what a character opens; the offset of the last character that it takes. */
function openAt(source: string, at: number, open: string[], take: (char: string) => void): number {
  const char = source[at] ?? "";
  const inner = open.at(-1);
  const next = source[at + 1] ?? "";
  const closer = char === "$" ? closers[next] : undefined;
  if (closer !== undefined) {
    open.push(closer);
    take(next);
    return at + 1;
  }
  if (char === "`" || (char === '"' && inner !== '"') || (char === "'" && inner !== '"')) open.push(char);
  else if (char === "(" && inner === ")") open.push(")");
  return at;
}
