import { UsageError } from "../usage-error.ts";
import { callFunction, truth } from "./functions.ts";
import { type Node, type Operand, parseTemplate, type Pipeline } from "./template-parser.ts";

/** A compiled template: gives the text for one value. */
export type Template = (value: unknown) => string;

/**
 * The part of Go's text/template that scripts use with --format: fields, pipes, range, if, with, variables and the
 * functions json, index, println, print, printf, join, split, lower, upper, title, len, eq, ne, and, or, not,
 * truncate, slice. @throws E_TEMPLATE
 */
export function compileTemplate(text: string): Template {
  const nodes = parseTemplate(text.replaceAll("\\t", "\t").replaceAll("\\n", "\n"));
  return (value) => run(nodes, { dot: value, root: value, variables: new Map() });
}

interface Scope {
  readonly dot: unknown;
  readonly root: unknown;
  readonly variables: ReadonlyMap<string, unknown>;
}

function run(nodes: readonly Node[], outer: Scope): string {
  let scope = outer;
  let text = "";
  for (const node of nodes) {
    switch (node.kind) {
      case "text":
        text += node.text;
        break;
      case "print":
        text += show(evaluate(node.pipeline, scope));
        break;
      case "set":
        scope = withVariable(scope, node.variable, evaluate(node.pipeline, scope));
        break;
      case "if":
        text += run(truth(evaluate(node.pipeline, scope)) ? node.body : node.otherwise, scope);
        break;
      case "with": {
        const value = evaluate(node.pipeline, scope);
        text += truth(value) ? run(node.body, { ...scope, dot: value }) : run(node.otherwise, scope);
        break;
      }
      case "range":
        text += range(node, scope);
        break;
    }
  }
  return text;
}

function range(node: Extract<Node, { readonly kind: "range" }>, scope: Scope): string {
  const entries = entriesOf(evaluate(node.pipeline, scope));
  if (entries.length === 0) return run(node.otherwise, scope);
  const [first, second] = node.variables;
  return entries
    .map(([key, value]) => {
      let inner: Scope = { ...scope, dot: value };
      if (second !== undefined && first !== undefined) {
        inner = withVariable(withVariable(inner, first, key), second, value);
      } else if (first !== undefined) inner = withVariable(inner, first, value);
      return run(node.body, inner);
    })
    .join("");
}

/** Keys of an object in order, as Go walks a map. */
function entriesOf(value: unknown): readonly (readonly [unknown, unknown])[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.map((item, i): readonly [unknown, unknown] => [i, item]);
  if (typeof value === "object") return Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  throw new UsageError(`Cannot format: range over ${JSON.stringify(value)}`, {
    code: "E_TEMPLATE",
    hint: "range a list",
  });
}

function evaluate(pipeline: Pipeline, scope: Scope): unknown {
  let value: unknown;
  pipeline.forEach((command, i) => {
    const [head, ...rest] = command;
    const args = rest.map((operand) => resolve(operand, scope));
    if (i > 0) args.push(value);
    if (head?.kind === "function") value = callFunction(head.name, args);
    else value = head === undefined ? undefined : resolve(head, scope);
  });
  return value;
}

function resolve(operand: Operand, scope: Scope): unknown {
  switch (operand.kind) {
    case "literal":
      return operand.value;
    case "field":
      return walk(scope.dot, operand.path);
    case "variable":
      return walk(operand.name === "" ? scope.root : scope.variables.get(operand.name), operand.path);
    case "nested":
      return walk(evaluate(operand.pipeline, scope), operand.path);
    case "function":
      return callFunction(operand.name, []);
  }
}

function walk(value: unknown, path: readonly string[]): unknown {
  let at = value;
  for (const name of path) {
    if (typeof at !== "object" || at === null) {
      if (at === undefined || at === null) return undefined;
      throw missing(name, at);
    }
    const found = Object.getOwnPropertyDescriptor(at, name);
    if (found === undefined && !Array.isArray(at) && isStruct(at)) throw missing(name, at);
    at = found?.value;
  }
  return at;
}

/** Rows of tables are structs: a field that they lack is a mistake. Maps (Labels) have any key. */
function isStruct(value: object): boolean {
  const first = Object.keys(value)[0];
  return first !== undefined && /^[A-Z][A-Za-z]*$/.test(first);
}

function missing(name: string, value: unknown): UsageError {
  const fields = typeof value === "object" && value !== null ? Object.keys(value).join(", ") : typeof value;
  return new UsageError(`Cannot format: there is no field .${name}`, { code: "E_TEMPLATE", hint: `fields: ${fields}` });
}

function withVariable(scope: Scope, name: string, value: unknown): Scope {
  return { ...scope, variables: new Map(scope.variables).set(name, value) };
}

/** A value as Go's fmt prints it. */
export function show(value: unknown): string {
  if (value === undefined || value === null) return "<no value>";
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return `[${value.map(show).join(" ")}]`;
  if (typeof value === "object") {
    const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
    return `map[${entries.map(([key, item]) => `${key}:${show(item)}`).join(" ")}]`;
  }
  return String(value);
}
