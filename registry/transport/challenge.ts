/** One challenge of a WWW-Authenticate header. */
export interface Challenge {
  readonly scheme: "bearer" | "basic";
  readonly parameters: Readonly<Record<string, string>>;
}

const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const blanks = /[ \t]*/y;
const separators = /[ \t,]*/y;
const quoted = /"((?:[^"\\]|\\[^])*)"/y;
const plain = /[^\s,"]+/y;

/** The challenges of a header, those that are understood. Takes the time of its length. @see RFC 9110 11.6.1 */
export function parseChallenges(header: string): readonly Challenge[] {
  return new HeaderReader(header).challenges();
}

class HeaderReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  challenges(): readonly Challenge[] {
    const found: { readonly scheme: string; readonly parameters: Map<string, string> }[] = [];
    for (this.#take(separators); this.#at < this.#text.length; this.#take(separators)) {
      const word = this.#take(token)?.[0].toLowerCase();
      this.#take(blanks);
      if (word === undefined) this.#skip();
      else if (this.#text[this.#at] !== "=") found.push({ scheme: word, parameters: new Map() });
      else {
        this.#at++;
        const value = this.#value();
        if (value !== undefined) found.at(-1)?.parameters.set(word, value);
      }
    }
    return found.flatMap(({ scheme, parameters }) =>
      scheme === "bearer" || scheme === "basic" ? [{ scheme, parameters: Object.fromEntries(parameters) }] : [],
    );
  }

  #value(): string | undefined {
    this.#take(blanks);
    const text = this.#take(quoted)?.[1];
    return text === undefined ? this.#take(plain)?.[0] : text.replace(/\\([^])/g, "$1");
  }

  /** What nobody would write: a quote that is not closed ends the header. */
  #skip(): void {
    this.#at = this.#text[this.#at] === '"' ? this.#text.length : this.#at + 1;
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match;
  }
}
