import { TsbuildError } from "../../native/errors.ts";
import { replaceAll, replaceFirst } from "./shell-replace.ts";
import { MatchBudget, shellPattern, trimPrefix, trimSuffix } from "./shell-pattern.ts";
import { isSpace } from "./words.ts";

/** How a word is read. */
export interface ExpandOptions {
  readonly escape: "\\" | "`";
  /** What is kept as it stands: quotes that were read, escape characters, variables without a value. */
  readonly keep?: { readonly quotes?: boolean; readonly escapes?: boolean; readonly unset?: boolean };
  /** Quotes are characters like any other: the body of a heredoc. */
  readonly plainQuotes?: boolean;
}

/** A word with its variables in place. `matched`: names that had a value, `unmatched`: those that had none. */
export interface Expanded {
  readonly text: string;
  readonly matched: readonly string[];
  readonly unmatched: readonly string[];
}

const maxDepth = 200;
/** What one word may become, in UTF-16 units: `ENV a=$a$a` in a loop would fill the memory. */
const maxLength = 8 << 20;
const special = new Set(["@", "*", "#", "?", "-", "$", "!", "0"]);
const isDigit = (text: string): boolean => /^\p{Nd}$/u.test(text);

/**
 * Resolves quotes, escapes and `$name`, `${name}` with the modifiers `:- - :+ + :? ? # ## % %% / //` in one word.
 * @throws E_EXPAND with what is wrong, without a place
 * @see BuildKit's shell lexer
 */
export function expandWord(raw: string, env: ReadonlyMap<string, string>, options: ExpandOptions): Expanded {
  const lexer = new Lexer(raw, env, options);
  const text = lexer.until({});
  return { text, matched: [...lexer.matched], unmatched: [...lexer.unmatched] };
}

/** As expandWord(), cut into words at white space outside quotes, also where a variable's value has it. */
export function expandWords(raw: string, env: ReadonlyMap<string, string>, options: ExpandOptions): readonly string[] {
  const words = new Words();
  new Lexer(raw, env, options).until({ words });
  return words.done();
}

/** Collects words: plain characters may end one, quoted ones never do. */
class Words {
  readonly #words: string[] = [];
  #word = "";

  plain(text: string): void {
    for (const char of text) {
      if (!isSpace(char)) this.#word += char;
      else if (this.#word !== "") this.done();
    }
  }

  raw(text: string): void {
    this.#word += text;
  }

  done(): readonly string[] {
    if (this.#word !== "") this.#words.push(this.#word);
    this.#word = "";
    return this.#words;
  }
}

/** How a part of a word is read: up to `stop`, which is taken, or to the end. */
interface Part {
  readonly stop?: "}" | "/";
  /** Escape characters stay: the part is a pattern, or goes where they are read again. */
  readonly escapes?: boolean;
  /** Quoted escape characters are doubled, as the pattern reads them again. */
  readonly pattern?: boolean;
  readonly words?: Words;
}

class Lexer {
  readonly matched: Set<string> = new Set();
  readonly unmatched: Set<string> = new Set();
  readonly #chars: readonly string[];
  readonly #env: ReadonlyMap<string, string>;
  readonly #options: ExpandOptions;
  #escapes: boolean;
  #at = 0;
  #depth = 0;
  #length = 0;
  readonly #budget = new MatchBudget();

  constructor(raw: string, env: ReadonlyMap<string, string>, options: ExpandOptions) {
    this.#chars = [...raw.replace(/^\ufeff/, "")];
    this.#env = env;
    this.#options = options;
    this.#escapes = options.keep?.escapes ?? false;
  }

  until({ stop, escapes = this.#escapes, pattern = false, words }: Part): string {
    const outer = this.#escapes;
    this.#escapes = escapes;
    let result = "";
    for (;;) {
      if (this.#at >= this.#chars.length) {
        if (stop !== undefined) throw bad(`missing \`${stop}\``);
        break;
      }
      const char = this.#peek();
      if (char === stop) {
        this.#at++;
        break;
      }
      const { text, plain } = this.#piece(char, pattern);
      if (plain) words?.plain(text);
      else words?.raw(text);
      result += text;
    }
    this.#escapes = outer;
    return result;
  }

  /** The next piece of a word; `plain` if white space in it ends the word. */
  #piece(char: string, pattern: boolean): { readonly text: string; readonly plain: boolean } {
    const quote = this.#options.plainQuotes !== true;
    if (quote && char === "'") return { text: this.#single(pattern), plain: false };
    if (quote && char === '"') return { text: this.#double(pattern), plain: false };
    if (char === "$") return { text: this.#dollar(), plain: true };
    if (char === "<") return { text: this.#less(), plain: false };
    this.#at++;
    if (char !== this.#options.escape) return { text: char, plain: true };
    return { text: (this.#escapes ? char : "") + this.#next(), plain: false };
  }

  #single(pattern: boolean): string {
    const end = this.#chars.indexOf("'", ++this.#at);
    if (end < 0) throw bad("missing the closing single quote");
    const chars = this.#chars.slice(this.#at, end);
    this.#at = end + 1;
    const { escape, keep } = this.#options;
    const text = (pattern ? chars.map((char) => (char === escape ? char + char : char)) : chars).join("");
    return keep?.quotes === true ? `'${text}'` : text;
  }

  #double(pattern: boolean): string {
    this.#at++;
    const { escape, keep } = this.#options;
    const mark = keep?.quotes === true ? '"' : "";
    let result = mark;
    for (;;) {
      if (this.#at >= this.#chars.length) throw bad("missing the closing double quote");
      const char = this.#peek();
      if (char === "$") {
        result += this.#dollar();
        continue;
      }
      this.#at++;
      if (char === '"') return result + mark;
      if (char !== escape) {
        result += char;
        continue;
      }
      const next = this.#peek();
      if (next === '"' || next === "$" || next === escape) result += (this.#escapes ? char : "") + this.#next();
      else if (next !== "") result += this.#escapes && (mark === "" || pattern) ? char + char : char;
    }
  }

  /** `<<` takes the white space behind it along: the word of a heredoc may stand apart. */
  #less(): string {
    this.#at++;
    if (this.#peek() !== "<") return "<";
    this.#at++;
    return `<<${this.#take((char) => char === "\t" || char === "\r" || char === " ")}`;
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
    return name === "" ? "$" : (this.#lookup(name) ?? this.#unset(`$${name}`) ?? "");
  }

  /** What stands for a variable without a value, where that is kept. */
  #unset(text: string): string | undefined {
    return this.#options.keep?.unset === true ? text : undefined;
  }

  #braces(): string {
    this.#at++;
    const first = this.#peek();
    if (first === "") throw bad("missing `}`");
    if (first === "{" || first === "}" || first === ":") throw bad("bad substitution");
    const name = this.#name();
    let modifier = this.#next();
    if (modifier === "}") return this.#lookup(name) ?? this.#unset(`\${${name}}`) ?? "";
    const emptyIsUnset = modifier === ":";
    if (emptyIsUnset) modifier = this.#next();
    if (modifier === "") throw bad("missing `}`");
    if ("+-?".includes(modifier)) return this.#conditional(name, modifier, emptyIsUnset);
    const trim = modifier === "#" || modifier === "%";
    if (!emptyIsUnset && modifier === "/") return this.#replace(name);
    if (!emptyIsUnset && trim) return this.#trim(name, modifier);
    if (emptyIsUnset && !trim && this.#options.keep?.unset === true) {
      return `\${${name}:${modifier}${this.until({ stop: "}", escapes: false })}}`;
    }
    throw bad(`unsupported modifier (${emptyIsUnset ? ":" : ""}${modifier}) in substitution`);
  }

  #conditional(name: string, modifier: string, emptyIsUnset: boolean): string {
    const word = this.until({ stop: "}", escapes: false });
    const value = this.#env.get(name);
    (value === undefined ? this.unmatched : this.matched).add(name);
    const kept =
      value === undefined ? this.#unset(`\${${name}${emptyIsUnset ? ":" : ""}${modifier}${word}}`) : undefined;
    if (kept !== undefined) return kept;
    const missing = value === undefined || (emptyIsUnset && value === "");
    if (modifier === "+") return missing ? "" : word;
    if (!missing) return this.#count(value);
    if (modifier === "-") return word;
    const why = value === undefined ? "is not allowed to be unset" : "is not allowed to be empty";
    throw bad(`${name}: ${word === "" ? why : word}`);
  }

  #trim(name: string, modifier: string): string {
    const word = this.until({ stop: "}", escapes: true, pattern: true });
    const value = this.#lookup(name);
    const kept = value === undefined ? this.#unset(`\${${name}${modifier}${word}}`) : undefined;
    if (kept !== undefined) return kept;
    const greedy = word.startsWith(modifier);
    const pattern = greedy ? word.slice(1) : word;
    return (modifier === "#" ? trimPrefix : trimSuffix)(value ?? "", pattern, greedy, this.#budget);
  }

  #replace(name: string): string {
    const all = this.#peek() === "/";
    if (all) this.#at++;
    const pattern = this.until({ stop: "/", escapes: true, pattern: true });
    const replacement = this.until({ stop: "}", escapes: true });
    const value = this.#lookup(name);
    const kept = value === undefined ? this.#unset(`\${${name}/${pattern}/${replacement}}`) : undefined;
    if (kept !== undefined) return kept;
    const rules = { pattern: shellPattern(pattern), replacement, budget: this.#budget };
    return all
      ? replaceAll(value ?? "", rules, (length) => this.#grow(length))
      : this.#count(replaceFirst(value ?? "", rules));
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
    (value === undefined ? this.unmatched : this.matched).add(name);
    return value === undefined ? undefined : this.#count(value);
  }

  #count(text: string): string {
    this.#grow(text.length);
    return text;
  }

  #grow(length: number): void {
    this.#length += length;
    if (this.#length > maxLength) throw bad("the result is larger than 8 MiB");
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
