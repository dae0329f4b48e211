/** Words of a command line of a shell up to the cursor, quotes and backslashes taken away; the last one is unfinished. */
export function shellWords(line: string): readonly string[] {
  const words: string[] = [];
  let word = "";
  let quote = "";
  let open = false;
  for (let at = 0; at < line.length; at++) {
    const char = line[at] ?? "";
    if (quote === "'") {
      if (char === "'") quote = "";
      else word += char;
    } else if (char === "\\" && at + 1 < line.length) {
      word += line[++at];
      open = true;
    } else if (char === quote) quote = "";
    else if (quote === "" && (char === "'" || char === '"')) {
      quote = char;
      open = true;
    } else if (quote === "" && /\s/.test(char)) {
      if (open || word !== "") words.push(word);
      word = "";
      open = false;
    } else word += char;
  }
  return [...words, word];
}

/** What readline puts in the place of the part behind the last of its word breaks: candidates without what is before. */
export function behindBreak(value: string, current: string, breaks: string): string {
  let at = -1;
  for (let i = 0; i < current.length; i++)
    if ("=:".includes(current[i] ?? "") && breaks.includes(current[i] ?? "")) at = i;
  return value.slice(at + 1);
}
