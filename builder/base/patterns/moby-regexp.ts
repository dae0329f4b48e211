import { notNewline, type Test, type Token } from "./path-automaton.ts";

const digit: Test = (char) => char >= "0" && char <= "9";
const space: Test = (char) => "\t\n\f\r ".includes(char);
const word: Test = (char) => /^[0-9A-Za-z_]$/.test(char);
const not =
  (test: Test): Test =>
  (char) =>
    !test(char);
const classes: ReadonlyMap<string, Test> = new Map([
  ["d", digit],
  ["D", not(digit)],
  ["s", space],
  ["S", not(space)],
  ["w", word],
  ["W", not(word)],
]);
const controls: ReadonlyMap<string, string> = new Map([
  ["a", "\x07"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["v", "\v"],
]);
const isWord = (char: string | undefined): boolean => char !== undefined && word(char);
const places: ReadonlyMap<string, (before: string | undefined, after: string | undefined) => boolean> = new Map([
  ["A", (before) => before === undefined],
  ["z", (_before, after) => after === undefined],
  ["b", (before, after) => isWord(before) !== isWord(after)],
  ["B", (before, after) => isWord(before) === isWord(after)],
]);
const posix: ReadonlyMap<string, RegExp> = new Map([
  ["alnum", /[0-9A-Za-z]/],
  ["alpha", /[A-Za-z]/],
  ["ascii", /[\x00-\x7f]/],
  ["blank", /[\t ]/],
  ["cntrl", /[\x00-\x1f\x7f]/],
  ["digit", /[0-9]/],
  ["graph", /[!-~]/],
  ["lower", /[a-z]/],
  ["print", /[ -~]/],
  ["punct", /[!-/:-@[-`{-~]/],
  ["space", /[\t\n\v\f\r ]/],
  ["upper", /[A-Z]/],
  ["word", /[0-9A-Za-z_]/],
  ["xdigit", /[0-9A-Fa-f]/],
]);

/**
 * Reads the regular expression that moby makes of a pattern: characters, escapes, classes, `(.*\/)?`, `.*` and a star after
 * a class; all other signs come escaped. undefined: Go's regexp refuses it, or it has an escape for which nobody has a use
 * in a path (`\Q`, `\p`, `\x`, octal). @see Go's regexp/syntax
 */
export function readMobyRegexp(source: readonly string[]): readonly Token[] | undefined {
  const reader = new Reader(source);
  const tokens: Token[] = [];
  while (!reader.atEnd) {
    const token = reader.token();
    if (token === undefined) return undefined;
    tokens.push(token);
  }
  return tokens;
}

class Reader {
  readonly #chars: readonly string[];
  #at = 0;

  constructor(chars: readonly string[]) {
    this.#chars = chars;
  }

  get atEnd(): boolean {
    return this.#at >= this.#chars.length;
  }

  token(): Token | undefined {
    if (this.#take("(.*/)?")) return { kind: "directories" };
    if (this.#take(".*")) return { kind: "run", test: notNewline };
    const char = this.#next();
    if (char === "^") return { kind: "place", holds: (before) => before === undefined };
    if (char === "\\") return this.#escape();
    if (char !== "[") return { kind: "char", char };
    const test = this.#take("^/]") ? notSlash : this.#class();
    if (test === undefined) return undefined;
    return { kind: this.#take("*") ? "run" : "one", test };
  }

  #escape(): Token | undefined {
    const char = this.#next();
    const [place, test] = [places.get(char), classes.get(char)];
    if (place !== undefined) return { kind: "place", holds: place };
    if (test !== undefined) return { kind: "one", test };
    const literal = escaped(char);
    return literal === undefined ? undefined : { kind: "char", char: literal };
  }

  /** After the bracket, up to its end. */
  #class(): Test | undefined {
    const negated = this.#take("^");
    const tests: Test[] = [];
    for (let first = true; first || this.#chars[this.#at] !== "]"; first = false) {
      if (this.atEnd) return undefined;
      const test = this.#posix() ?? this.#perl() ?? this.#range();
      if (test === undefined) return undefined;
      tests.push(test);
    }
    this.#at++;
    return (char) => tests.some((test) => test(char)) !== negated;
  }

  #posix(): Test | undefined {
    if (!this.#take("[:")) return undefined;
    const end = this.#chars.findIndex((char, at) => at >= this.#at && char === ":" && this.#chars[at + 1] === "]");
    const known = posix.get(this.#chars.slice(this.#at, Math.max(this.#at, end)).join("").replace(/^\^/, ""));
    const negated = this.#chars[this.#at] === "^";
    if (end < 0) {
      // Two characters like others.
      this.#at -= 2;
      return undefined;
    }
    this.#at = end + 2;
    // A name that nobody knows: nothing follows that could be read.
    if (known === undefined) this.#at = this.#chars.length;
    return (char) => known?.test(char) !== negated;
  }

  #perl(): Test | undefined {
    const test = this.#chars[this.#at] === "\\" ? classes.get(this.#chars[this.#at + 1] ?? "") : undefined;
    if (test !== undefined) this.#at += 2;
    return test;
  }

  #range(): Test | undefined {
    const low = this.#bound();
    let high = low;
    if (this.#chars[this.#at] === "-" && this.#chars[this.#at + 1] !== "]" && this.#at + 1 < this.#chars.length) {
      this.#at++;
      high = this.#bound();
    }
    if (low === undefined || high === undefined || low > high) return undefined;
    return (char) => {
      const code = char.codePointAt(0) ?? 0;
      return low <= code && code <= high;
    };
  }

  #bound(): number | undefined {
    const char = this.#next();
    return (char === "\\" ? escaped(this.#next()) : char)?.codePointAt(0);
  }

  #take(text: string): boolean {
    if (![...text].every((char, at) => this.#chars[this.#at + at] === char)) return false;
    this.#at += text.length;
    return true;
  }

  #next(): string {
    return this.#chars[this.#at++] ?? "";
  }
}

const notSlash: Test = (char) => char !== "/";

/** The character that a backslash before one stands for; only signs stand for themselves. */
function escaped(char: string): string | undefined {
  return controls.get(char) ?? (/^[\x00-\x7f]$/.test(char) && !/^[0-9A-Za-z]$/.test(char) ? char : undefined);
}
