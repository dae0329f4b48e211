import { posix } from "node:path";
import type { DockerfileAst, RunInstruction } from "../../dockerfile/ast.ts";
import { readHeredoc } from "../../dockerfile/heredoc.ts";
import { LineReader, LogicalLine, splitLines } from "../../dockerfile/lines.ts";
import type { SourceLocation } from "../../base/location.ts";

/** A text that a shell gets, and where its characters are in the Dockerfile. */
export interface Script {
  readonly text: string;
  /** The range of the offsets `start` to `end`, which is exclusive. */
  readonly locate: (start: number, end: number) => SourceLocation;
}

const shells: ReadonlySet<string> = new Set("sh bash ash dash zsh ksh mksh busybox".split(" "));

/** What a RUN gives to a shell of Bourne's kind; undefined when it is for something else. `shell`: of SHELL. */
export function scriptOf(
  ast: DockerfileAst,
  instruction: RunInstruction,
  shell: readonly string[] = [],
): Script | undefined {
  const { command, heredocs } = instruction;
  if (command.form === "exec" || !isShell(shell[0] ?? "sh")) return undefined;
  const [first] = heredocs;
  if (first === undefined || readHeredoc(command.text) === undefined) return lineScript(ast, instruction, command.text);
  const interpreter = /^#!\s*(?:\S*\/env\s+)?(\S+)/.exec(first.content)?.[1];
  if (interpreter !== undefined && !isShell(interpreter)) return undefined;
  return bodyScript(first.body, instruction.lines);
}

function isShell(path: string): boolean {
  return shells.has(posix.basename(path));
}

function lineScript(ast: DockerfileAst, { lines: { file, start } }: RunInstruction, text: string): Script {
  // Read once more: the parser keeps no places of what is inside of a command.
  const reader = new LineReader({ file, lines: linesOf(ast.text), escape: ast.escape, start: start.line - 1 });
  const line = reader.next();
  const before = (line?.text.trimEnd().length ?? 0) - text.length;
  const whole = { file, start, end: start };
  return { text, locate: (from, to) => line?.range(before + from, before + to) ?? whole };
}

/** The body of a heredoc begins on the line after its instruction's. */
function bodyScript(text: string, { file, end }: SourceLocation): Script {
  let start = 0;
  const segments = text.split("\n").map((one, at) => {
    const segment = { start, line: end.line + 1 + at, column: 1 };
    start += one.length + 1;
    return segment;
  });
  const line = new LogicalLine({ file, text, segments, comments: [], emptyLines: [], end });
  return { text, locate: (from, to) => line.range(from, to) };
}

let last: { readonly text: string; readonly lines: readonly string[] } | undefined;

function linesOf(text: string): readonly string[] {
  if (last?.text !== text) last = { text, lines: splitLines(text) };
  return last.lines;
}
