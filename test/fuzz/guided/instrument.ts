import { registerHooks } from "node:module";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync } from "vite";

/** How often each place of the instrumented modules was passed; one byte each, wrapping around. */
export const counters: Uint8Array = new Uint8Array(1 << 16);
let places = 0;

/** Places that were given a counter so far. */
export function countPlaces(): number {
  return places;
}

/** From now on modules of these sources count the branches they take. */
export function instrumentModules(sources: readonly string[]): void {
  Object.assign(globalThis, { fuzzCounters: counters });
  const wanted = sources.map((source) => resolve(source) + (source.endsWith("/") ? "/" : ""));
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      const file = url.startsWith("file:") ? fileURLToPath(url) : "";
      if (!wanted.some((one) => (one.endsWith("/") ? file.startsWith(one) : file === one))) return loaded;
      return { ...loaded, source: instrument(String(loaded.source), file) };
    },
  });
}

interface AstNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/** The source with a counter at the start of every block, branch and short-circuited expression. */
export function instrument(source: string, file: string): string {
  const inserted: { readonly at: number; readonly text: string; readonly order: number }[] = [];
  const add = (at: number, text: string): void => void inserted.push({ at, text, order: inserted.length });
  const statement = (node: AstNode): void => {
    add(node.start, `{ ${count()}; `);
    add(node.end, " }");
  };
  const expression = (node: AstNode): void => {
    add(node.start, `(${count()}, `);
    add(node.end, ")");
  };
  visit(parseSync(file, source).program as unknown as AstNode, (node) => {
    if (node.type === "BlockStatement" || node.type === "FunctionBody") add(node.start + 1, ` ${count()};`);
    else if (node.type === "SwitchCase") caseStart(node, add);
    else if (node.type === "ConditionalExpression")
      [node["consequent"], node["alternate"]].filter(isNode).forEach(expression);
    else if (node.type === "LogicalExpression" && isNode(node["right"])) expression(node["right"]);
    const bodies = [node["body"], node["consequent"], node["alternate"]].filter(isNode);
    if (node.type === "ArrowFunctionExpression")
      bodies.filter((one) => !/Body|Block/.test(one.type)).forEach(expression);
    if (/^(?:If|For|ForOf|ForIn|While|DoWhile)Statement$/.test(node.type))
      bodies.filter((one) => one.type !== "BlockStatement").forEach(statement);
  });
  // Of two at one place the one that was added last is within the other.
  const sorted = inserted.toSorted(
    (a, b) => b.at - a.at || (a.text.startsWith("(") || a.text.startsWith("{") ? b.order - a.order : a.order - b.order),
  );
  return sorted.reduce((text, { at, text: piece }) => text.slice(0, at) + piece + text.slice(at), source);
}

function count(): string {
  return `fuzzCounters[${places++ % counters.length}]++`;
}

function caseStart(node: AstNode, add: (at: number, text: string) => void): void {
  const [first] = Array.isArray(node["consequent"]) ? node["consequent"] : [];
  if (isNode(first)) add(first.start, `${count()}; `);
}

function isNode(value: unknown): value is AstNode {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}

/** Parents first; types are passed over. */
function visit(node: AstNode, see: (node: AstNode) => void): void {
  if (node.type.startsWith("TS") && !/^TS(?:As|Satisfies|NonNull)/.test(node.type)) return;
  see(node);
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) value.filter(isNode).forEach((one) => visit(one, see));
    else if (isNode(value)) visit(value, see);
  }
}
