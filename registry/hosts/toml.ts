/** A value of a TOML file; dates are not among them. */
export type TomlValue = string | number | boolean | readonly TomlValue[] | TomlTable;

/** Keys in the order of the file. */
export interface TomlTable {
  readonly [key: string]: TomlValue;
}

/** Text that is no TOML, or has what is not read here. */
export class TomlError extends Error {
  override readonly name: string = "TomlError";
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

/**
 * Reads TOML 1.0 without dates, hexadecimal numbers and special floats: what configurations of registries are
 * written in. @throws TomlError
 * @see https://toml.io/en/v1.0.0
 */
export function parseToml(text: string): TomlTable {
  return new TomlReader(text.replace(/^\ufeff/, "")).read();
}

interface MutableTable {
  [key: string]: TomlValue;
}

function newTable(): MutableTable {
  return Object.create(null) as MutableTable;
}

function isTable(value: TomlValue | undefined): value is MutableTable {
  return typeof value === "object" && !isArray(value);
}

function isArray(value: TomlValue | undefined): value is readonly TomlValue[] {
  return Array.isArray(value);
}

const bareKey = /[A-Za-z0-9_-]+/y;
const space = /[ \t]*/y;
/** White space, ends of lines and comments: what may stand between the elements of an array. */
const gap = /(?:[ \t\r\n]|#[^\n]*)*/y;
const lineEnd = /[ \t]*(?:#[^\n]*)?(?:\r?\n|$)/y;
const number = /[+-]?(?:0|[1-9](?:_?[0-9])*)(?:\.[0-9](?:_?[0-9])*)?(?:[eE][+-]?[0-9](?:_?[0-9])*)?(?![\w:.+-])/y;
const escapes: Readonly<Record<string, string>> = {
  b: "\b",
  t: "\t",
  n: "\n",
  f: "\f",
  r: "\r",
  '"': '"',
  "\\": "\\",
};

class TomlReader {
  readonly #text: string;
  readonly #root: MutableTable = newTable();
  /** Tables that a header or an inline value closed to further headers or keys. */
  readonly #defined = new Set<object>();
  readonly #inline = new Set<object>();
  /** Tables that dotted keys made: a header may not open them again. */
  readonly #dotted = new Set<object>();
  readonly #tableArrays = new Set<object>();
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): TomlTable {
    const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.exec(this.#text);
    if (control !== null) {
      this.#at = control.index;
      throw this.#error("there is a control character");
    }
    let table = this.#root;
    while (this.#at < this.#text.length) {
      this.#take(space);
      if (this.#takeIf(lineEnd)) continue;
      table = this.#text[this.#at] === "[" ? this.#header() : this.#assignment(table);
      if (!this.#takeIf(lineEnd)) throw this.#error("more than one thing in a line");
    }
    return this.#root;
  }

  /** `[a.b]` or `[[a.b]]`; the table that the next lines belong to. */
  #header(): MutableTable {
    const many = this.#text.startsWith("[[", this.#at);
    this.#at += many ? 2 : 1;
    const path = this.#key();
    const end = many ? "]]" : "]";
    if (!this.#text.startsWith(end, this.#at)) throw this.#error(`a table's name has no ${end}`);
    this.#at += end.length;
    const last = path.pop() ?? "";
    const parent = path.reduce((table, name) => this.#descend(table, name), this.#root);
    return many ? this.#appended(parent, last) : this.#opened(parent, last);
  }

  #descend(table: MutableTable, name: string): MutableTable {
    const found = table[name];
    if (found === undefined) return (table[name] = newTable());
    const inner = isArray(found) && this.#tableArrays.has(found) ? found.at(-1) : found;
    if (!isTable(inner) || this.#inline.has(inner)) throw this.#error(`${name} is no table`);
    return inner;
  }

  #appended(parent: MutableTable, name: string): MutableTable {
    const found = parent[name];
    const made = newTable();
    if (found === undefined) {
      const list: TomlValue[] = [made];
      this.#tableArrays.add(list);
      parent[name] = list;
      return made;
    }
    if (!isArray(found) || !this.#tableArrays.has(found)) throw this.#error(`${name} is no list of tables`);
    (found as TomlValue[]).push(made);
    return made;
  }

  #opened(parent: MutableTable, name: string): MutableTable {
    const found = parent[name] ?? (parent[name] = newTable());
    if (!isTable(found) || this.#defined.has(found) || this.#inline.has(found) || this.#dotted.has(found)) {
      throw this.#error(`${name} is there twice`);
    }
    this.#defined.add(found);
    return found;
  }

  /** `a.b = value` */
  #assignment(table: MutableTable): MutableTable {
    const path = this.#key();
    if (this.#text[this.#at] !== "=") throw this.#error("a key has no =");
    this.#at++;
    this.#take(space);
    const last = path.pop() ?? "";
    let parent = table;
    for (const name of path) {
      const found = parent[name] ?? (parent[name] = newTable());
      if (!isTable(found) || this.#defined.has(found) || this.#inline.has(found))
        throw this.#error(`${name} is no table here`);
      this.#dotted.add(found);
      parent = found;
    }
    if (parent[last] !== undefined) throw this.#error(`${last} is there twice`);
    parent[last] = this.#value(0);
    return table;
  }

  #key(): string[] {
    const path: string[] = [];
    for (;;) {
      this.#take(space);
      const char = this.#text[this.#at];
      const part = char === '"' ? this.#basic(false) : char === "'" ? this.#literal(false) : this.#take(bareKey);
      if (part === "" && char !== '"' && char !== "'") throw this.#error("here should be a key");
      path.push(part);
      this.#take(space);
      if (this.#text[this.#at] !== ".") return path;
      this.#at++;
    }
  }

  #value(depth: number): TomlValue {
    if (depth > 50) throw this.#error("values are nested too deep");
    const char = this.#text[this.#at];
    if (char === '"') return this.#basic(true);
    if (char === "'") return this.#literal(true);
    if (char === "[") return this.#array(depth);
    if (char === "{") return this.#inlineTable(depth);
    for (const [word, value] of [["true", true] as const, ["false", false] as const]) {
      if (!this.#text.startsWith(word, this.#at) || /[\w-]/.test(this.#text[this.#at + word.length] ?? "")) continue;
      this.#at += word.length;
      return value;
    }
    const digits = this.#take(number);
    if (digits === "") throw this.#error("here should be a text in quotes, a number, true, false, [ or {");
    return Number(digits.replaceAll("_", ""));
  }

  #array(depth: number): TomlValue {
    const list: TomlValue[] = [];
    this.#at++;
    for (;;) {
      this.#take(gap);
      if (this.#takeChar("]")) return list;
      list.push(this.#value(depth + 1));
      this.#take(gap);
      if (this.#takeChar(",")) continue;
      if (this.#takeChar("]")) return list;
      throw this.#error("a list has no , or ]");
    }
  }

  #inlineTable(depth: number): TomlValue {
    const table = newTable();
    this.#at++;
    this.#take(space);
    if (this.#takeChar("}")) return this.#closed(table);
    for (;;) {
      const path = this.#key();
      if (!this.#takeChar("=")) throw this.#error("a key has no =");
      this.#take(space);
      const last = path.pop() ?? "";
      const parent = path.reduce((at, name) => this.#descend(at, name), table);
      if (parent[last] !== undefined) throw this.#error(`${last} is there twice`);
      parent[last] = this.#value(depth + 1);
      this.#take(space);
      if (this.#takeChar(",")) continue;
      if (this.#takeChar("}")) return this.#closed(table);
      throw this.#error("a table in braces has no , or }");
    }
  }

  #closed(table: MutableTable): MutableTable {
    this.#inline.add(table);
    for (const value of Object.values(table)) if (isTable(value)) this.#closed(value);
    return table;
  }

  /** `"text"` with escapes, or `"""text"""`. */
  #basic(multiline: boolean): string {
    if (multiline && this.#text.startsWith('"""', this.#at)) return this.#unescaped(this.#multiline('"'));
    const quoted = this.#take(/"(?:[^"\\\n]|\\[^\n])*"/y);
    if (quoted === "") throw this.#error("a text has no closing quote");
    return this.#unescaped(quoted.slice(1, -1));
  }

  #literal(multiline: boolean): string {
    if (multiline && this.#text.startsWith("'''", this.#at)) return this.#multiline("'");
    const quoted = this.#take(/'[^'\n]*'/y);
    if (quoted === "") throw this.#error("a text has no closing quote");
    return quoted.slice(1, -1);
  }

  /** What stands between three quotes; one or two quotes may stand before the last three. */
  #multiline(quote: '"' | "'"): string {
    const body =
      quote === '"'
        ? /"""\r?\n?((?:[^"\\]|\\[^]|"{1,2}(?!"))*"{0,2})"""/y
        : /'''\r?\n?((?:[^']|'{1,2}(?!'))*'{0,2})'''/y;
    body.lastIndex = this.#at;
    const found = body.exec(this.#text);
    if (found === null) throw this.#error("a text has no closing quotes");
    this.#at = body.lastIndex;
    return found[1] ?? "";
  }

  #unescaped(body: string): string {
    return body.replace(/\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|[ \t]*\r?\n\s*|([^]))/g, (all, short, long, char) => {
      const hex: unknown = short ?? long;
      if (typeof hex === "string") return this.#character(Number.parseInt(hex, 16));
      if (char === undefined) return ""; // a line that ends with \ goes on in the next one
      const meant = escapes[String(char)];
      if (meant === undefined) throw this.#error(`${all} is no escape`);
      return meant;
    });
  }

  #character(code: number): string {
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) throw this.#error("an escape is no character");
    return String.fromCodePoint(code);
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }

  #takeIf(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.#text)) return false;
    this.#at = pattern.lastIndex;
    return true;
  }

  #takeChar(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #error(message: string): TomlError {
    return new TomlError(message, this.#text.slice(0, this.#at).split("\n").length);
  }
}
