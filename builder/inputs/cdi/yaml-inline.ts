/** Why a text cannot be read, and on which line. */
export class YamlError extends Error {
  override readonly name: string = "YamlError";

  constructor(line: number, why: string) {
    super(`line ${line}: ${why}`);
  }
}

/** What a document holds. Numbers, true, false and null are told from text only where that is not quoted. */
export type YamlValue = string | number | boolean | null | readonly YamlValue[] | { readonly [key: string]: YamlValue };

/** Collections within collections. */
export const maxDepth: number = 32;

/** A value that stands on one line. @throws YamlError */
export function parseInline(text: string, number: number): YamlValue {
  const reader = new FlowReader(text, number);
  const value = /^[["'{]/.test(text) ? reader.value(0) : scalarOf(text, number);
  if (/^[["'{]/.test(text)) reader.end();
  return value;
}

class FlowReader {
  readonly #text: string;
  readonly #number: number;
  #at = 0;

  constructor(text: string, number: number) {
    this.#text = text;
    this.#number = number;
  }

  value(depth: number): YamlValue {
    if (depth > maxDepth) throw this.#error("collections are nested too deep");
    this.#blanks();
    const char = this.#text[this.#at];
    if (char === "[") return this.#list(depth);
    if (char === "{") return this.#table(depth);
    if (char === '"' || char === "'") return this.#quoted(char);
    const plain = /^[^,\]}]*/.exec(this.#text.slice(this.#at))?.[0] ?? "";
    this.#at += plain.length;
    return scalarOf(plain.trim(), this.#number);
  }

  end(): void {
    this.#blanks();
    if (this.#at < this.#text.length) throw this.#error("something follows the value");
  }

  #list(depth: number): readonly YamlValue[] {
    const items: YamlValue[] = [];
    this.#at++;
    for (let more = !this.#take("]"); more; more = this.#goesOn("]")) items.push(this.value(depth + 1));
    return items;
  }

  #table(depth: number): YamlValue {
    const entries = new Map<string, YamlValue>();
    this.#at++;
    for (let more = !this.#take("}"); more; more = this.#goesOn("}")) {
      const key = this.#key();
      if (entries.has(key)) throw this.#error(`the key ${JSON.stringify(key)} is there twice`);
      entries.set(key, this.value(depth + 1));
    }
    return Object.fromEntries(entries);
  }

  #key(): string {
    this.#blanks();
    const char = this.#text[this.#at];
    if (char === '"' || char === "'") {
      const key = this.#quoted(char);
      if (!this.#take(":")) throw this.#error("a key has no value");
      return key;
    }
    const found = /^([^,:[\]{}]+):(?= |$)/.exec(this.#text.slice(this.#at));
    if (found?.[1] === undefined) throw this.#error("a key has no value");
    this.#at += found[0].length;
    return found[1].trim();
  }

  #goesOn(close: string): boolean {
    if (this.#take(",")) return !this.#take(close);
    if (this.#take(close)) return false;
    throw this.#error(`a ${JSON.stringify(close)} is missing`);
  }

  #quoted(quote: string): string {
    const pattern = quote === '"' ? /^"(?:[^"\\]|\\.)*"/ : /^'(?:[^']|'')*'/;
    const found = pattern.exec(this.#text.slice(this.#at))?.[0];
    if (found === undefined) throw this.#error("a quote is not closed on its line");
    this.#at += found.length;
    return quote === '"' ? this.#unescape(found) : found.slice(1, -1).replaceAll("''", "'");
  }

  /** As JSON has it, which is what generators write. */
  #unescape(found: string): string {
    try {
      return String(JSON.parse(found));
    } catch {
      throw this.#error("an escape is not known");
    }
  }

  #take(char: string): boolean {
    this.#blanks();
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #blanks(): void {
    while (this.#text[this.#at] === " ") this.#at++;
  }

  #error(why: string): YamlError {
    return new YamlError(this.#number, why);
  }
}

const words: Readonly<Record<string, YamlValue>> = { "": null, "~": null, null: null, true: true, false: false };

/** Plain text; octal numbers as YAML 1.1 has them too (`0666`). */
function scalarOf(text: string, number: number): YamlValue {
  const word = Object.hasOwn(words, text) ? words[text] : undefined;
  if (word !== undefined) return word;
  if (/^[&*!|>%@`?]/.test(text) || /: |:$/.test(text))
    throw new YamlError(
      number,
      `${JSON.stringify(text.slice(0, 20))} is more than this reader knows: quote it, or write JSON`,
    );
  if (/^0o?[0-7]+$/.test(text)) return Number.parseInt(text.replace("o", ""), 8);
  return /^[-+]?(?:0x[0-9a-fA-F]+|[1-9]\d{0,14}|0)$/.test(text) ? Number(text) : text;
}
