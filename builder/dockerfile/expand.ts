import { TsbuildError } from "../../native/errors.ts";
import { longestMatch, shellPattern, trimPrefix, trimSuffix } from "./shell-pattern.ts";
import { isSpace } from "./words.ts";

/** How a word is read. */
export interface ExpandOptions {
  readonly escape: "\\" | "`";
}

/** A word with its variables in place. `unmatched`: names that had no value. */
export interface Expanded {
  readonly text: string;
  readonly words: readonly string[];
  readonly unmatched: readonly string[];
}

const maxDepth = 200;
const special = new Set(["@", "*", "#", "?", "-", "$", "!", "0"]);
const isDigit = (text: string): boolean => /^\d$/.test(text);

/**
 * Resolves quotes, escapes and `$name`, `${name}` with the modifiers `:- - :+ + :? ? # ## % %% / //` in one word.
 * @throws E_EXPAND with what is wrong, without a place
 * @see BuildKit's shell lexer
 */
export function expandWord(raw: string, env: ReadonlyMap<string, string>, options: ExpandOptions): Expanded {
  const lexer = new Lexer(raw, env, options.escape);
  const text = lexer.until(undefined, false);
  return { text, words: lexer.words.done(), unmatched: [...lexer.unmatched] };
}

/** As expandWord(), cut into words at white space outside quotes, also where a variable's value has it. */
export function expandWords(raw: string, env: ReadonlyMap<string, string>, options: ExpandOptions): readonly string[] {
  return expandWord(raw, env, options).words;
}

/** Collects words: plain characters may end one, quoted ones never do. */
class Words {
  readonly #words: string[] = [];
  #word = "";
  #inside = false;

  plain(text: string): void {
    for (const char of text) {
      if (!isSpace(char)) this.raw(char);
      else if (this.#inside) this.#close();
    }
  }

  raw(text: string): void {
    this.#word += text;
    this.#inside = true;
  }

  done(): readonly string[] {
    if (this.#word !== "") this.#close();
    return this.#words;
  }

  #close(): void {
    if (this.#word !== "") this.#words.push(this.#word);
    this.#word = "";
    this.#inside = false;
  }
}

class Lexer {
  readonly words: Words = new Words();
  readonly unmatched: Set<string> = new Set();
  readonly #chars: readonly string[];
  readonly #env: ReadonlyMap<string, string>;
  readonly #escape: string;
  #at = 0;
  #depth = 0;

  constructor(raw: string, env: ReadonlyMap<string, string>, escape: string) {
    this.#chars = [...raw];
    this.#env = env;
    this.#escape = escape;
  }

  /** Up to `stop`, which is taken, or to the end. `rawEscapes` keeps escape characters, for patterns. */
  until(stop: string | undefined, rawEscapes: boolean): string {
    let result = "";
    const collect = stop === undefined ? this.words : new Words();
    while (this.#at < this.#chars.length) {
      const char = this.#peek();
      if (char === stop) {
        this.#at++;
        return result;
      }
      if (char === "'" || char === '"') {
        const text = char === "'" ? this.#single() : this.#double();
        collect.raw(text);
        result += text;
      } else if (char === "$") {
        const text = this.#dollar();
        collect.plain(text);
        result += text;
      } else {
        this.#at++;
        if (char !== this.#escape) {
          collect.plain(char);
          result += char;
          continue;
        }
        if (rawEscapes) result += char;
        if (this.#at >= this.#chars.length) break;
        const next = this.#next();
        collect.raw(next);
        result += next;
      }
    }
    if (stop !== undefined) throw bad(stop === "}" ? "missing `}`" : `missing \`${stop}\``);
    return result;
  }

  #single(): string {
    this.#at++;
    const end = this.#chars.indexOf("'", this.#at);
    if (end < 0) throw bad("missing the closing single quote");
    const text = this.#chars.slice(this.#at, end).join("");
    this.#at = end + 1;
    return text;
  }

  #double(): string {
    this.#at++;
    let result = "";
    for (;;) {
      if (this.#at >= this.#chars.length) throw bad("missing the closing double quote");
      const char = this.#peek();
      if (char === "$") {
        result += this.#dollar();
        continue;
      }
      this.#at++;
      if (char === '"') return result;
      const next = this.#peek();
      const taken = char === this.#escape && (next === '"' || next === "$" || next === this.#escape);
      if (char === this.#escape && this.#at >= this.#chars.length) continue;
      result += taken ? this.#next() : char;
    }
  }

  #dollar(): string {
    this.#at++;
    if (this.#peek() === "{") {
      if (++this.#depth > maxDepth) throw bad("variables are nested too deep");
      const value = this.#braces();
      this.#depth--;
      return value;
    }
    const name = this.#name();
    return name === "" ? "$" : (this.#lookup(name) ?? "");
  }

  #braces(): string {
    this.#at++;
    const first = this.#peek();
    if (first === "") throw bad("missing `}`");
    if (first === "{" || first === "}" || first === ":") throw bad("bad substitution");
    const name = this.#name();
    let modifier = this.#next();
    if (modifier === "}") return this.#lookup(name) ?? "";
    const emptyIsUnset = modifier === ":";
    if (emptyIsUnset) modifier = this.#next();
    if (modifier === "") throw bad("missing `}`");
    if ("+-?".includes(modifier)) return this.#conditional(name, modifier, emptyIsUnset);
    if (emptyIsUnset || !"#%/".includes(modifier)) {
      throw bad(`unsupported modifier (${emptyIsUnset ? ":" : ""}${modifier}) in substitution`);
    }
    return modifier === "/" ? this.#replace(name) : this.#trim(name, modifier);
  }

  #conditional(name: string, modifier: string, emptyIsUnset: boolean): string {
    const word = this.until("}", false);
    const value = this.#env.get(name);
    const missing = value === undefined || (emptyIsUnset && value === "");
    if (modifier === "+") return missing ? "" : word;
    if (!missing) return value;
    if (modifier === "-") return word;
    const why = value === undefined ? "is not allowed to be unset" : "is not allowed to be empty";
    throw bad(`${name}: ${word === "" ? why : word}`);
  }

  #trim(name: string, modifier: string): string {
    const word = this.until("}", true);
    const greedy = word.startsWith(modifier);
    const pattern = shellPattern(greedy ? word.slice(1) : word);
    const value = this.#lookup(name) ?? "";
    return modifier === "#" ? trimPrefix(value, pattern, greedy) : trimSuffix(value, pattern, greedy);
  }

  #replace(name: string): string {
    const all = this.#peek() === "/";
    if (all) this.#at++;
    const pattern = shellPattern(this.until("/", true));
    const replacement = this.until("}", true);
    const chars = [...(this.#lookup(name) ?? "")];
    let result = "";
    for (let at = 0; at <= chars.length;) {
      const length = longestMatch(chars, at, pattern);
      if (length !== undefined && (length > 0 || at === 0)) {
        result += replacement;
        at += length;
        if (!all || length === 0) return result + chars.slice(at).join("");
      } else result += chars[at++] ?? "";
    }
    return result;
  }

  #name(): string {
    const first = this.#peek();
    if (isDigit(first)) return this.#take((char) => isDigit(char));
    if (special.has(first)) return this.#next();
    return this.#take((char) => /^[\p{L}\p{Nd}_]$/u.test(char));
  }

  #take(wanted: (char: string) => boolean): string {
    let text = "";
    while (this.#at < this.#chars.length && wanted(this.#peek())) text += this.#next();
    return text;
  }

  #lookup(name: string): string | undefined {
    const value = this.#env.get(name);
    if (value === undefined) this.unmatched.add(name);
    return value;
  }

  #peek(): string {
    return this.#chars[this.#at] ?? "";
  }

  #next(): string {
    return this.#chars[this.#at++] ?? "";
  }
}

function bad(what: string): TsbuildError {
  return new TsbuildError(what, { code: "E_EXPAND" });
}
