import { createRequire } from "node:module";
import type { SourceLocation } from "../base/location.ts";

const load = createRequire(import.meta.url);

interface Variable {
  readonly name: string;
  readonly range: {
    readonly start: { readonly line: number; readonly character: number };
    readonly end: { readonly line: number; readonly character: number };
  };
}

/** The last file that was asked for: it is asked for again with the next variable. */
let last: { readonly source: string; readonly variables: readonly Variable[] } | undefined;

/**
 * The place of `$name` inside an instruction's range; undefined where it cannot be told (dockerfile-ast does not read
 * every modifier). Loaded only to show it: the parser of record is our own.
 */
export function locateVariable(source: string, name: string, within: SourceLocation): SourceLocation | undefined {
  if (last?.source !== source) last = { source, variables: findVariables(source) };
  const { file, start, end } = within;
  const found = last.variables.find(
    ({ name: one, range }) => one === name && range.start.line + 1 >= start.line && range.end.line + 1 <= end.line,
  );
  if (found === undefined) return undefined;
  const { range } = found;
  return {
    file,
    start: { line: range.start.line + 1, column: range.start.character + 1 },
    end: { line: range.end.line + 1, column: range.end.character + 1 },
  };
}

function findVariables(source: string): readonly Variable[] {
  try {
    const { DockerfileParser }: typeof import("dockerfile-ast") = load("dockerfile-ast");
    return DockerfileParser.parse(source)
      .getInstructions()
      .flatMap((instruction) => instruction.getVariables())
      .map((variable) => ({ name: variable.getName(), range: variable.getRange() }));
  } catch {
    return [];
  }
}
