import { UsageError } from "../base/usage-error.ts";
import { isFunction } from "./functions.ts";

/** A part of a template. */
export type Node =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "print"; readonly pipeline: Pipeline }
  /** `$x := ...` and `$x = ...` */
  | { readonly kind: "make" | "change"; readonly variable: string; readonly pipeline: Pipeline }
  | { readonly kind: "break" | "continue" }
  | { readonly kind: "template"; readonly name: string; readonly pipeline: Pipeline | undefined }
  | Choice
  | Loop;

interface Branches {
  readonly body: Node[];
  readonly otherwise: Node[];
}

interface Choice extends Branches {
  readonly kind: "if" | "with";
  readonly variable: string | undefined;
  readonly pipeline: Pipeline;
}

interface Loop extends Branches {
  readonly kind: "range";
  readonly variables: readonly string[];
  readonly pipeline: Pipeline;
}

/** A template and those that it defines. */
export interface ParsedTemplate {
  readonly nodes: readonly Node[];
  readonly templates: ReadonlyMap<string, readonly Node[]>;
}

/** Commands joined by `|`: a function and its arguments, or one operand. */
export type Pipeline = readonly (readonly Operand[])[];

export type Operand =
  | { readonly kind: "literal"; readonly value: string | number | boolean | undefined }
  | { readonly kind: "field"; readonly path: readonly string[] }
  | { readonly kind: "variable"; readonly name: string; readonly path: readonly string[] }
  | { readonly kind: "nested"; readonly pipeline: Pipeline; readonly path: readonly string[] }
  | { readonly kind: "function"; readonly name: string };

/** What an {{end}} ends. */
interface Block {
  /** Of {{if}}, {{with}} and {{range}}; a definition has no {{else}}. */
  readonly node: Choice | Loop | undefined;
  body: Node[];
  readonly kind: string;
  /** The block around it ends with it: `else if`. */
  readonly chained: boolean;
}

/** @throws E_TEMPLATE */
export function parseTemplate(text: string): ParsedTemplate {
  return new TemplateParser(text).parse();
}

class TemplateParser {
  readonly #text: string;
  readonly #root: Block = { node: undefined, body: [], kind: "", chained: false };
  readonly #stack: Block[] = [this.#root];
  readonly #templates = new Map<string, readonly Node[]>();

  constructor(text: string) {
    this.#text = text;
  }

  parse(): ParsedTemplate {
    for (const part of split(this.#text)) {
      if (part.kind === "action") this.#action(tokens(part.text));
      else if (part.text !== "") this.#top.body.push({ kind: "text", text: part.text });
    }
    if (this.#stack.length > 1) throw this.#broken(`{{${this.#top.kind}}} has no {{end}}`);
    return { nodes: this.#root.body, templates: this.#templates };
  }

  get #top(): Block {
    return this.#stack.at(-1) ?? this.#root;
  }

  #action(words: readonly string[]): void {
    const [head] = words;
    switch (head) {
      case undefined:
        throw this.#broken("an action {{}} is empty");
      case "end":
        return this.#end(words);
      case "else":
        return this.#else(words);
      case "if":
      case "with":
      case "range":
        return this.#open(words, false);
      case "define":
      case "block":
      case "template":
        return this.#named(head, words);
      case "break":
      case "continue":
        if (!this.#stack.some(({ kind }) => kind === "range")) throw this.#broken(`{{${head}}} outside of {{range}}`);
        this.#top.body.push({ kind: head });
        return;
      default:
        this.#top.body.push(this.#statement(words));
    }
  }

  #end(words: readonly string[]): void {
    if (this.#stack.length === 1) throw this.#broken("{{end}} without {{if}}");
    while (this.#stack.length > 1 && this.#stack.pop()?.chained === true);
    if (words.length > 1) throw this.#broken("{{end}} takes nothing");
  }

  #else(words: readonly string[]): void {
    const { node } = this.#top;
    if (node === undefined) throw this.#broken("{{else}} without {{if}}");
    this.#top.body = node.otherwise;
    if (words[1] === "if" || words[1] === "with") this.#open(words.slice(1), true);
    else if (words.length > 1) throw this.#broken(`{{else ${words[1]}}}`);
  }

  #open(words: readonly string[], chained: boolean): void {
    const kind = words[0] ?? "";
    const assign = words.indexOf(":=");
    const pipeline = this.#pipeline(words.slice(Math.max(assign, 0) + 1));
    const branches = { body: [], otherwise: [] };
    const variables = words.slice(1, Math.max(assign, 1)).filter((word) => word.startsWith("$"));
    const names = variables.map((word) => word.slice(1));
    const node: Choice | Loop =
      kind === "range"
        ? { kind, variables: names, pipeline, ...branches }
        : { kind: kind === "with" ? "with" : "if", variable: names[0], pipeline, ...branches };
    this.#top.body.push(node);
    this.#stack.push({ node, body: node.body, kind, chained });
  }

  /** `define "x"`, `block "x" .Field` and `template "x" .Field` */
  #named(kind: "define" | "block" | "template", words: readonly string[]): void {
    const name = words[1] ?? "";
    if (!/^["`]/.test(name)) throw this.#broken(`{{${kind}}} has no name in quotes`);
    const known = name.startsWith("`") ? name.slice(1, -1) : unquote(name, this.#text);
    const rest = words.slice(2);
    const pipeline = rest.length === 0 ? undefined : this.#pipeline(rest);
    if (kind !== "define") this.#top.body.push({ kind: "template", name: known, pipeline });
    if (kind === "template") return;
    const body: Node[] = [];
    this.#templates.set(known, body);
    this.#stack.push({ node: undefined, body, kind, chained: false });
  }

  #statement(words: readonly string[]): Node {
    const [head = "", operator] = words;
    if (!head.startsWith("$") || (operator !== ":=" && operator !== "=")) {
      return { kind: "print", pipeline: this.#pipeline(words) };
    }
    const kind = operator === "=" ? "change" : "make";
    return { kind, variable: head.slice(1), pipeline: this.#pipeline(words.slice(2)) };
  }

  #pipeline(words: readonly string[]): Pipeline {
    return new PipelineParser(words, this.#text).parse();
  }

  #broken(why: string): UsageError {
    return broken(this.#text, why);
  }
}

/** Text and actions in turn; `{{-` and `-}}` take the white space beside them, comments are left out. */
function split(text: string): readonly { readonly kind: "text" | "action"; readonly text: string }[] {
  const parts: { kind: "text" | "action"; text: string }[] = [];
  let rest = text;
  let trim = false;
  for (;;) {
    const start = rest.indexOf("{{");
    let before = start < 0 ? rest : rest.slice(0, start);
    if (trim) before = before.trimStart();
    if (start < 0) {
      parts.push({ kind: "text", text: before });
      return parts;
    }
    const left = /^\{\{-\s/.test(rest.slice(start));
    parts.push({ kind: "text", text: left ? before.trimEnd() : before });
    const end = actionEnd(rest, start + 2);
    if (end < 0) throw broken(text, "{{ has no }}");
    let inner = rest.slice(start + (left ? 3 : 2), end);
    trim = /\s-$/.test(inner);
    if (trim) inner = inner.slice(0, -1);
    if (!inner.trim().startsWith("/*")) parts.push({ kind: "action", text: inner });
    rest = rest.slice(end + 2);
  }
}

/** The `}}` that is not inside a string. */
function actionEnd(text: string, from: number): number {
  let quote = "";
  for (let at = from; at < text.length; at++) {
    const char = text[at] ?? "";
    if (quote !== "") {
      if (char === "\\" && quote === '"') at++;
      else if (char === quote) quote = "";
    } else if (char === '"' || char === "`") quote = char;
    else if (char === "}" && text[at + 1] === "}") return at;
  }
  return -1;
}

const token = /"(?:[^"\\]|\\.)*"|`[^`]*`|'(?:[^'\\]|\\.)+'|:=|[()|,=]|[^\s()|,="`]+/g;

function tokens(text: string): readonly string[] {
  return text.match(token) ?? [];
}

class PipelineParser {
  readonly #words: readonly string[];
  readonly #text: string;
  #next = 0;

  constructor(words: readonly string[], text: string) {
    this.#words = words;
    this.#text = text;
  }

  parse(): Pipeline {
    const pipeline = this.#pipeline();
    if (this.#next < this.#words.length) throw broken(this.#text, `unexpected ${this.#words[this.#next]}`);
    return pipeline;
  }

  #pipeline(): Pipeline {
    const commands: (readonly Operand[])[] = [];
    for (;;) {
      const command: Operand[] = [];
      while (this.#next < this.#words.length && !["|", ")"].includes(this.#words[this.#next] ?? "")) {
        command.push(this.#operand());
      }
      const [head] = command;
      if (head === undefined) throw broken(this.#text, "a pipe is empty");
      if (head.kind === "literal" && head.value === undefined) throw broken(this.#text, "nil says nothing");
      if (head.kind !== "function" && (command.length > 1 || commands.length > 0)) {
        throw broken(this.#text, "only a function takes arguments");
      }
      commands.push(command);
      if (this.#words[this.#next] !== "|") return commands;
      this.#next++;
    }
  }

  #operand(): Operand {
    const word = this.#words[this.#next++] ?? "";
    if (word === "(") {
      const pipeline = this.#pipeline();
      if (this.#words[this.#next++] !== ")") throw broken(this.#text, "( has no )");
      const after = this.#words[this.#next];
      const path = after !== undefined && /^\.[A-Za-z_]/.test(after) ? after.slice(1).split(".") : [];
      if (path.length > 0) this.#next++;
      return { kind: "nested", pipeline, path };
    }
    if (word.startsWith('"')) return { kind: "literal", value: unquote(word, this.#text) };
    if (/^'(?:[^\\]|\\.)'$/u.test(word)) return { kind: "literal", value: charCode(word) };
    if (word.startsWith("`")) return { kind: "literal", value: word.slice(1, -1) };
    if (word === ".") return { kind: "field", path: [] };
    if (/^(?:\.[A-Za-z_][A-Za-z0-9_]*)+$/.test(word)) return { kind: "field", path: word.slice(1).split(".") };
    if (/^\$[A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*$/.test(word)) {
      const [name = "", ...path] = word.slice(1).split(".");
      return { kind: "variable", name, path };
    }
    if (/^[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$/.test(word)) return { kind: "literal", value: Number(word) };
    if (word === "true" || word === "false") return { kind: "literal", value: word === "true" };
    if (word === "nil") return { kind: "literal", value: undefined };
    if (isFunction(word)) return { kind: "function", name: word };
    throw broken(this.#text, `${word} is no field, function or value`);
  }
}

const charEscapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };

/** A character in single quotes is a number, as in Go. */
function charCode(word: string): number {
  const escape = /^'\\(.)'$/.exec(word)?.[1];
  const char = escape === undefined ? word.slice(1, -1) : (charEscapes[escape] ?? escape);
  return char.codePointAt(0) ?? 0;
}

function unquote(word: string, text: string): string {
  try {
    // \n and \t outside of texts were made what they mean before.
    const value: unknown = JSON.parse(word.replaceAll("\n", "\\n").replaceAll("\t", "\\t"));
    return typeof value === "string" ? value : "";
  } catch {
    throw broken(text, `string ${word}`);
  }
}

function broken(text: string, why: string): UsageError {
  return new UsageError(`Cannot read template ${JSON.stringify(text)}: ${why}`, {
    code: "E_TEMPLATE",
    hint: "'{{.ID}}', '{{json .}}', '{{range .RepoTags}}{{println .}}{{end}}'",
  });
}
