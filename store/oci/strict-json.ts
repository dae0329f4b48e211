const token = /"(?:[^"\\]|\\.)*"|[{}[\],]/g;

/**
 * A key that an object of this valid JSON text has twice: readers disagree on which of the two counts. undefined: none.
 */
export function duplicateKey(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  let keyNext = false;
  for (const [part] of text.matchAll(token)) {
    if (part === "{" || part === "[") {
      open.push(part === "{" ? new Set() : undefined);
      keyNext = part === "{";
    } else if (part === "}" || part === "]") {
      open.pop();
      keyNext = false;
    } else if (part === ",") keyNext = open.at(-1) !== undefined;
    else if (keyNext) {
      const key = String(JSON.parse(part));
      const keys = open.at(-1);
      if (keys?.has(key) === true) return key;
      keys?.add(key);
      keyNext = false;
    }
  }
  return undefined;
}

/** A key that differs from a known one only by the case of its letters: Go takes it for that one. undefined: none. */
export function lookalikeKey(json: Readonly<Record<string, unknown>>, known: ReadonlySet<string>): string | undefined {
  const lower = new Set([...known].map((name) => name.toLowerCase()));
  return Object.keys(json).find((key) => !known.has(key) && lower.has(key.toLowerCase()));
}
