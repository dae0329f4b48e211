import { UsageError } from "../base/usage-error.ts";
import { callFunction } from "./functions.ts";
import { entriesOf, fieldOf, show, truth } from "./go-value.ts";
import { type Node, type Operand, parseTemplate, type Pipeline } from "./template-parser.ts";

/** A compiled template: gives the text for one value. */
export type Template = (value: unknown) => string;

/**
 * Go's text/template with the functions of docker's --format: fields, pipes, variables, range, if, with, break,
 * continue, define, template and block. @throws E_TEMPLATE
 */
export function compileTemplate(text: string): Template {
  const { nodes, templates } = parseTemplate(text.replaceAll("\\t", "\t").replaceAll("\\n", "\n"));
  return (value) => new Run(templates).text(nodes, value);
}

interface Scope {
  readonly dot: unknown;
  readonly root: unknown;
  readonly variables: Variables;
}

/** Variables of one block; `=` changes them where they were made. */
class Variables {
  readonly #values = new Map<string, unknown>();
  readonly #outer: Variables | undefined;

  constructor(outer?: Variables) {
    this.#outer = outer;
  }

  get(name: string): unknown {
    return this.#values.has(name) ? this.#values.get(name) : this.#outer?.get(name);
  }

  make(name: string, value: unknown): void {
    this.#values.set(name, value);
  }

  change(name: string, value: unknown): void {
    if (this.#values.has(name) || this.#outer === undefined) this.#values.set(name, value);
    else this.#outer.change(name, value);
  }
}

type Ended = "break" | "continue" | undefined;

const deepest = 100;

class Run {
  readonly #templates: ReadonlyMap<string, readonly Node[]>;
  #text = "";
  #depth = 0;

  constructor(templates: ReadonlyMap<string, readonly Node[]>) {
    this.#templates = templates;
  }

  text(nodes: readonly Node[], value: unknown): string {
    this.#nodes(nodes, { dot: value, root: value, variables: new Variables() });
    return this.#text;
  }

  #nodes(nodes: readonly Node[], scope: Scope): Ended {
    for (const node of nodes) {
      const ended = this.#node(node, scope);
      if (ended !== undefined) return ended;
    }
    return undefined;
  }

  #node(node: Node, scope: Scope): Ended {
    switch (node.kind) {
      case "text":
        this.#text += node.text;
        return undefined;
      case "print":
        this.#text += show(evaluate(node.pipeline, scope));
        return undefined;
      case "make":
        scope.variables.make(node.variable, evaluate(node.pipeline, scope));
        return undefined;
      case "change":
        scope.variables.change(node.variable, evaluate(node.pipeline, scope));
        return undefined;
      case "if":
      case "with":
        return this.#choose(node, scope);
      case "range":
        return this.#range(node, scope);
      case "template":
        this.#template(node, scope);
        return undefined;
      case "break":
      case "continue":
        return node.kind;
    }
  }

  #choose(node: Extract<Node, { readonly kind: "if" | "with" }>, outer: Scope): Ended {
    const scope = { ...outer, variables: new Variables(outer.variables) };
    const value = evaluate(node.pipeline, scope);
    if (node.variable !== undefined) scope.variables.make(node.variable, value);
    if (!truth(value)) return this.#nodes(node.otherwise, scope);
    return this.#nodes(node.body, node.kind === "with" ? { ...scope, dot: value } : scope);
  }

  #range(node: Extract<Node, { readonly kind: "range" }>, outer: Scope): Ended {
    const entries = entriesOf(evaluate(node.pipeline, outer));
    if (entries.length === 0) return this.#nodes(node.otherwise, outer);
    const [first, second] = node.variables;
    for (const [key, value] of entries) {
      const variables = new Variables(outer.variables);
      if (first !== undefined) variables.make(first, second === undefined ? value : key);
      if (second !== undefined) variables.make(second, value);
      if (this.#nodes(node.body, { ...outer, dot: value, variables }) === "break") break;
    }
    return undefined;
  }

  #template(node: Extract<Node, { readonly kind: "template" }>, scope: Scope): void {
    const nodes = this.#templates.get(node.name);
    if (nodes === undefined) throw broken(`there is no template ${JSON.stringify(node.name)}`);
    if (++this.#depth > deepest) throw broken(`template ${JSON.stringify(node.name)} calls itself without end`);
    const value = node.pipeline === undefined ? undefined : evaluate(node.pipeline, scope);
    this.#nodes(nodes, { dot: value, root: value, variables: new Variables() });
    this.#depth--;
  }
}

function evaluate(pipeline: Pipeline, scope: Scope): unknown {
  let value: unknown;
  pipeline.forEach(([head, ...rest], i) => {
    const piped = i > 0 ? [value] : [];
    if (head?.kind !== "function") value = head === undefined ? undefined : resolve(head, scope);
    else if (head.name === "and" || head.name === "or") value = decide(head.name, rest, piped, scope);
    else value = callFunction(head.name, [...rest.map((operand) => resolve(operand, scope)), ...piped]);
  });
  return value;
}

/** The first value that decides; what stands after it is not looked at. */
function decide(name: "and" | "or", operands: readonly Operand[], piped: readonly unknown[], scope: Scope): unknown {
  let value: unknown;
  for (const operand of operands) {
    value = resolve(operand, scope);
    if (truth(value) === (name === "or")) return value;
  }
  return piped.length > 0 ? piped[0] : value;
}

function resolve(operand: Operand, scope: Scope): unknown {
  switch (operand.kind) {
    case "literal":
      return operand.value;
    case "field":
      return operand.path.reduce(fieldOf, scope.dot);
    case "variable":
      return operand.path.reduce(fieldOf, operand.name === "" ? scope.root : scope.variables.get(operand.name));
    case "nested":
      return operand.path.reduce(fieldOf, evaluate(operand.pipeline, scope));
    case "function":
      return callFunction(operand.name, []);
  }
}

function broken(why: string): UsageError {
  return new UsageError(`Cannot format: ${why}`, { code: "E_TEMPLATE", hint: '{{define "x"}}{{.}}{{end}}' });
}
