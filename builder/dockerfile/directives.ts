import type { Directive } from "./ast.ts";
import { DockerfileError } from "../base/error.ts";
import { trimLine } from "./lines.ts";
import { isOwnSyntax } from "./syntax.ts";

const form = /^(?<name>[a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=(?<rest>[^\n]+)$/;
const blank = new Set("\t\n\f\r ");
const known = new Set(["syntax", "escape", "check"]);

/** What the first lines of a file say of the rest. */
export interface FoundDirectives {
  readonly directives: readonly Directive[];
  readonly escape: "\\" | "`";
  /** Lines at the top that are directives and nothing else. */
  readonly count: number;
}

/**
 * The directives at the top of a file: comments, and for `syntax` alone also lines with `//` or a file that is JSON. A
 * first line with `#!` hides those below it from the parser, but neither `syntax` nor `check`.
 * `syntax` given: it is used in the place of the file's. @throws E_DIRECTIVE, E_SYNTAX_FRONTEND
 */
export function readDirectives(lines: readonly string[], file: string, syntax?: string): FoundDirectives {
  const place = { file, text: lines.join("\n") };
  const own = readLines(lines, "#", place);
  for (const [at, { name, value, location }] of own.entries()) {
    const fail = (message: string, hint?: string): DockerfileError => failed(place, location, { message, hint });
    if (own.findIndex((one) => one.name === name) < at) throw fail(`Cannot use # ${name}= twice`);
    if (name === "escape" && value !== "\\" && value !== "`")
      throw fail(`Cannot use ${JSON.stringify(value)} as the escape character`, "it is \\ or `");
  }
  const hidden = lines[0]?.startsWith("#!") === true ? readLines(lines, "#", place, 1) : [];
  const found = [...own, ...hidden.filter(({ name }) => name !== "escape")];
  if (syntax === undefined) checkSyntax(found.find(isSyntax) ?? otherSyntax(lines, place), lines, place);
  const escape = own.find(({ name }) => name === "escape")?.value === "`" ? "`" : "\\";
  return { directives: found, escape, count: own.length };
}

interface Place {
  readonly file: string;
  readonly text: string;
}

/** Up to the first line that is none: after it `# escape=` is a comment. */
function readLines(lines: readonly string[], comment: "#" | "//", { file }: Place, from: number = 0): Directive[] {
  const found: Directive[] = [];
  for (let at = from; at < lines.length; at++) {
    const line = trimLine(lines[at] ?? "");
    const bare = line.trimStart();
    const match = bare.startsWith(comment) ? form.exec(bare.slice(comment.length).trimStart())?.groups : undefined;
    const name = match?.["name"]?.toLowerCase() ?? "";
    if (!known.has(name)) break;
    const [start, end] = [
      { line: at + 1, column: 1 },
      { line: at + 1, column: line.length + 1 },
    ];
    found.push({ name, value: trimValue(match?.["rest"] ?? ""), location: { file, start, end } });
  }
  return found;
}

/** Without the white space around it; of white space alone one character is left. */
function trimValue(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end - 1 && blank.has(text[start] ?? "")) start++;
  while (end > start + 1 && blank.has(text[end - 1] ?? "")) end--;
  return text.slice(start, end);
}

const isSyntax = ({ name }: Directive): boolean => name === "syntax";

/** `// syntax=` and `{"syntax": ...}`: files for other frontends. */
function otherSyntax(lines: readonly string[], place: Place): Directive | undefined {
  const first = lines[0]?.startsWith("#!") === true ? 1 : 0;
  const line = readLines(lines, "//", place, first).find(isSyntax);
  if (line !== undefined) return line;
  const text = lines.slice(first).join("\n");
  if (!text.trimStart().startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    const named = typeof value === "object" && value !== null && "syntax" in value ? value.syntax : undefined;
    if (typeof named !== "string") return undefined;
    const start = { line: first + 1, column: 1 };
    return { name: "syntax", value: named, location: { file: place.file, start, end: start } };
  } catch {
    return undefined;
  }
}

/** A line that begins with white space is a directive for the parser, but names no frontend. */
function checkSyntax(found: Directive | undefined, lines: readonly string[], place: Place): void {
  if (found === undefined || isOwnSyntax(found.value)) return;
  if (/^\s/.test(lines[found.location.start.line - 1] ?? "")) return;
  throw failed(place, found.location, {
    code: "E_SYNTAX_FRONTEND",
    message: `Cannot use the frontend ${found.value}: only docker/dockerfile is built in`,
    hint: "remove the line, or build with --build-arg BUILDKIT_SYNTAX=docker/dockerfile:1",
  });
}

function failed(
  { text }: Place,
  location: Directive["location"],
  what: { readonly code?: string; readonly message: string; readonly hint?: string | undefined },
): DockerfileError {
  const { code = "E_DIRECTIVE", message, hint } = what;
  return new DockerfileError(message, { code, location, source: text, ...(hint === undefined ? {} : { hint }) });
}
