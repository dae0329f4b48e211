import { UsageError } from "../usage-error.ts";
import { isFunction } from "./functions.ts";

/** A part of a template. */
export type Node =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "print"; readonly pipeline: Pipeline }
  | { readonly kind: "set"; readonly variable: string; readonly pipeline: Pipeline }
  | { readonly kind: "if" | "with"; readonly pipeline: Pipeline; readonly body: Node[]; readonly otherwise: Node[] }
  | {
      readonly kind: "range";
      readonly variables: readonly string[];
      readonly pipeline: Pipeline;
      readonly body: Node[];
      readonly otherwise: Node[];
    };

/** Commands joined by `|`: a function and its arguments, or one operand. */
export type Pipeline = readonly (readonly Operand[])[];

export type Operand =
  | { readonly kind: "literal"; readonly value: string | number | boolean | undefined }
  | { readonly kind: "field"; readonly path: readonly string[] }
  | { readonly kind: "variable"; readonly name: string; readonly path: readonly string[] }
  | { readonly kind: "nested"; readonly pipeline: Pipeline; readonly path: readonly string[] }
  | { readonly kind: "function"; readonly name: string };

interface Block {
  readonly node: Extract<Node, { readonly body: Node[] }> | undefined;
  body: Node[];
  /** Blocks that end with this one: `else if`. */
  readonly chained: boolean;
}

/** @throws E_TEMPLATE */
export function parseTemplate(text: string): readonly Node[] {
  const root: Block = { node: undefined, body: [], chained: false };
  const stack: Block[] = [root];
  const top = (): Block => stack.at(-1) ?? root;
  for (const part of split(text)) {
    if (part.kind === "text") {
      if (part.text !== "") top().body.push({ kind: "text", text: part.text });
      continue;
    }
    const words = tokens(part.text);
    const [head] = words;
    if (head === undefined) throw broken(text, "an action {{}} is empty");
    if (head === "end") {
      if (stack.length === 1) throw broken(text, "{{end}} without {{if}}");
      while (stack.length > 1 && stack.pop()?.chained === true);
      if (words.length > 1) throw broken(text, "{{end}} takes nothing");
    } else if (head === "else") {
      const { node } = top();
      if (node === undefined) throw broken(text, "{{else}} without {{if}}");
      top().body = node.otherwise;
      if (words[1] === "if" || words[1] === "with") open(stack, words.slice(1), true, text);
      else if (words.length > 1) throw broken(text, `{{else ${words[1]}}}`);
    } else if (head === "if" || head === "with" || head === "range") open(stack, words, false, text);
    else top().body.push(action(words, text));
  }
  if (stack.length > 1) throw broken(text, `{{${top().node?.kind ?? ""}}} has no {{end}}`);
  return root.body;
}

function open(stack: Block[], words: readonly string[], chained: boolean, text: string): void {
  const kind = words[0];
  const assign = kind === "range" ? words.indexOf(":=") : -1;
  const pipeline = new PipelineParser(words.slice(Math.max(assign, 0) + 1), text).parse();
  const lists = { body: [], otherwise: [] };
  const variables = words.slice(1, Math.max(assign, 1)).filter((word) => word.startsWith("$"));
  const node: Block["node"] =
    kind === "range"
      ? { kind, variables: variables.map((word) => word.slice(1)), pipeline, ...lists }
      : { kind: kind === "with" ? "with" : "if", pipeline, ...lists };
  stack.at(-1)?.body.push(node);
  stack.push({ node, body: node.body, chained });
}

function action(words: readonly string[], text: string): Node {
  const [head = "", operator] = words;
  if (head.startsWith("$") && (operator === ":=" || operator === "=")) {
    return { kind: "set", variable: head.slice(1), pipeline: new PipelineParser(words.slice(2), text).parse() };
  }
  return { kind: "print", pipeline: new PipelineParser(words, text).parse() };
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

const token = /"(?:[^"\\]|\\.)*"|`[^`]*`|:=|[()|,=]|[^\s()|,="`]+/g;

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
    if (word.startsWith("`")) return { kind: "literal", value: word.slice(1, -1) };
    if (word === ".") return { kind: "field", path: [] };
    if (/^(?:\.[A-Za-z_][A-Za-z0-9_]*)+$/.test(word)) return { kind: "field", path: word.slice(1).split(".") };
    if (/^\$[A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*$/.test(word)) {
      const [name = "", ...path] = word.slice(1).split(".");
      return { kind: "variable", name, path };
    }
    if (/^-?[0-9]+(?:\.[0-9]+)?$/.test(word)) return { kind: "literal", value: Number(word) };
    if (word === "true" || word === "false") return { kind: "literal", value: word === "true" };
    if (word === "nil") return { kind: "literal", value: undefined };
    if (isFunction(word)) return { kind: "function", name: word };
    throw broken(this.#text, `${word} is no field, function or value`);
  }
}

function unquote(word: string, text: string): string {
  try {
    const value: unknown = JSON.parse(word);
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
