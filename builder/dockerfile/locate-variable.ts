import { createRequire } from "node:module";
import type { SourceLocation } from "./location.ts";

const load = createRequire(import.meta.url);

/**
 * The place of `$name` inside an instruction's range; the whole range where it cannot be told (dockerfile-ast does not
 * read every modifier). Loaded only for a warning: the parser of record is our own.
 */
export function locateVariable(source: string, name: string, within: SourceLocation): SourceLocation {
  try {
    const { DockerfileParser }: typeof import("dockerfile-ast") = load("dockerfile-ast");
    const { start, end } = within;
    const found = DockerfileParser.parse(source)
      .getInstructions()
      .flatMap((instruction) => instruction.getVariables())
      .map((variable) => ({ name: variable.getName(), range: variable.getRange() }))
      .find(
        ({ name: one, range }) => one === name && range.start.line + 1 >= start.line && range.end.line + 1 <= end.line,
      );
    if (found === undefined) return within;
    const { range } = found;
    return {
      file: within.file,
      start: { line: range.start.line + 1, column: range.start.character + 1 },
      end: { line: range.end.line + 1, column: range.end.character + 1 },
    };
  } catch {
    return within;
  }
}
