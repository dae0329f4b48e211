import type { Directive } from "./ast.ts";
import { DockerfileError } from "./error.ts";
import { trimLine } from "./lines.ts";

const pattern = /^#[ \t]*([a-zA-Z][a-zA-Z0-9]*)[ \t]*=[ \t]*(.+?)[ \t]*$/;
const known = new Set(["syntax", "escape", "check"]);

/** The directive comments at the top of a file. @throws E_DIRECTIVE for a duplicate or a wrong value */
export function readDirectives(
  lines: readonly string[],
  file: string,
  text: string,
): { readonly directives: readonly Directive[]; readonly escape: "\\" | "`" } {
  const directives: Directive[] = [];
  for (const [at, raw] of lines.entries()) {
    const line = trimLine(raw);
    const match = pattern.exec(line);
    const name = match?.[1]?.toLowerCase();
    // The first line that is no known directive ends them: after it `# escape=` is a comment.
    if (match === null || name === undefined || !known.has(name)) break;
    const location = { file, start: { line: at + 1, column: 1 }, end: { line: at + 1, column: line.length + 1 } };
    const fail = (message: string, hint?: string): DockerfileError =>
      new DockerfileError(message, {
        code: "E_DIRECTIVE",
        location,
        source: text,
        ...(hint === undefined ? {} : { hint }),
      });
    const value = match[2] ?? "";
    if (directives.some((one) => one.name === name)) throw fail(`Cannot use # ${name}= twice`);
    if (name === "escape" && value !== "\\" && value !== "`")
      throw fail(`Cannot use ${JSON.stringify(value)} as the escape character`, "it is \\ or `");
    if (name === "syntax" && !isOwnSyntax(value)) {
      throw fail(
        `Cannot use the frontend ${value}: only docker/dockerfile is built in`,
        "remove the line, or name docker/dockerfile:1",
      );
    }
    directives.push({ name, value, location });
  }
  const escape = directives.find(({ name }) => name === "escape")?.value === "`" ? "`" : "\\";
  return { directives, escape };
}

function isOwnSyntax(value: string): boolean {
  return /^(?:docker\.io\/)?docker\/dockerfile(?:-upstream)?(?:[:@].*)?$/.test(value) || value === "dockerfile.v0";
}
