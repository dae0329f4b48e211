import type {
  ArgInstruction,
  Directive,
  DockerfileAst,
  Flag,
  FromInstruction,
  Heredoc,
  Instruction,
  Stage,
} from "./ast.ts";
import { relocate } from "./relocate.ts";
import { readDirectives } from "./directives.ts";
import { DockerfileError } from "../base/error.ts";
import { cutFlags } from "./flags.ts";
import { findHeredocs } from "./heredoc.ts";
import { parseInstruction } from "./instructions/parse-instruction.ts";
import { syntaxError, type InstructionSource } from "./instructions/source.ts";
import { maxDockerfile } from "./max-size.ts";
import { LineReader, splitLines, type LogicalLine } from "./lines.ts";
import type { SourceLocation } from "../base/location.ts";
import { leadingSpace, parseJsonForm, trimSpace } from "./words.ts";

const withHeredocs = new Set(["RUN", "COPY", "ADD"]);

/** Told of what is read, in the file's order, also when something after it cannot be. */
export interface ParseObserver {
  readonly directives: (found: readonly Directive[]) => void;
  readonly instruction: (instruction: Instruction) => void;
}

/** `syntax`: the frontend that is used whatever the file names. */
export interface ParseOptions {
  readonly syntax?: string | undefined;
  readonly observer?: ParseObserver | undefined;
}

/** Reads a Dockerfile. `file` is its name in messages. @throws DockerfileError with the place of what is wrong */
export function parseDockerfile(
  input: string | Uint8Array,
  file: string,
  { syntax, observer }: ParseOptions = {},
): DockerfileAst {
  const text = typeof input === "string" ? input : Buffer.from(input).toString("utf8");
  const top: SourceLocation = { file, start: { line: 1, column: 1 }, end: { line: 1, column: 1 } };
  const fail = (code: string, message: string, location: SourceLocation, hint?: string): DockerfileError =>
    new DockerfileError(message, { code, location, source: text, ...(hint === undefined ? {} : { hint }) });
  if (text.length > maxDockerfile)
    throw fail("E_DOCKERFILE_SIZE", "Cannot read the Dockerfile: it is larger than 4 MiB", top);
  const lines = splitLines(text);
  const { directives, escape, count } = readDirectives(lines, file, syntax);
  observer?.directives(directives);
  const reader = new LineReader({ file, lines, escape, start: count });
  const instructions: Instruction[] = [];
  let before = "";
  for (let line = reader.next(); line !== undefined; line = reader.next()) {
    const instruction = readBehind(before, () => readInstruction(line, reader, { text, escape }));
    before = line.text;
    observer?.instruction(instruction);
    instructions.push(instruction);
  }
  if (instructions.length === 0) {
    throw fail("E_DOCKERFILE_EMPTY", "Cannot build: the Dockerfile has no instructions", top, "begin with FROM");
  }
  const { globalArgs, stages } = toStages(instructions, fail);
  return { file, text, escape, directives, globalArgs, stages };
}

/** The instruction of an ONBUILD trigger; its place is that of the FROM which brought it. @throws DockerfileError */
export function parseOnbuild(
  trigger: string,
  at: { readonly file: string; readonly source: string; readonly location: SourceLocation },
): Instruction {
  try {
    const lines = splitLines(trigger);
    const reader = new LineReader({ file: at.file, lines, escape: "\\", start: 0 });
    const line = reader.next();
    if (line === undefined) throw new Error("it is empty");
    const found = readInstruction(line, reader, { text: trigger, escape: "\\" });
    if (reader.next() !== undefined) throw new Error("it is more than one instruction");
    return relocate(found, at.location);
  } catch (error) {
    throw new DockerfileError(
      `Cannot run the ONBUILD trigger ${JSON.stringify(trigger)} of the base image: ${error instanceof Error ? error.message : String(error)}`,
      {
        code: "E_ONBUILD",
        location: at.location,
        source: at.source,
        cause: error,
        ...(error instanceof DockerfileError && error.hint !== undefined ? { hint: error.hint } : {}),
      },
    );
  }
}

/** Tells of a heredoc whose lines were read as instructions: `<<- EOF` is none. `before`: the instruction above. */
function readBehind(before: string, read: () => Instruction): Instruction {
  try {
    return read();
  } catch (error) {
    const word = /<<-[\t ]+(?<word>["']?\w+["']?)/.exec(before)?.groups?.["word"];
    if (word === undefined || !(error instanceof DockerfileError) || error.code !== "E_INSTRUCTION_UNKNOWN")
      throw error;
    const { code, location, source } = error;
    const hint = `it is meant as a line of the heredoc above: write its word right behind, <<-${word}`;
    throw new DockerfileError(error.message, { code, location, source, hint });
  }
}

function readInstruction(
  line: LogicalLine,
  reader: LineReader,
  options: { readonly text: string; readonly escape: "\\" | "`" },
): Instruction {
  // Only behind a first line that has nothing but the escape character.
  const indent = leadingSpace(line.text);
  const match = /^([^\t\v\f\r ]+)[\t\v\f\r ]*/.exec(line.text.slice(indent));
  const word = match?.[1] ?? "";
  if (match === null) {
    throw new DockerfileError("Cannot read an instruction: the line goes on, and nothing follows", {
      code: "E_DOCKERFILE_SYNTAX",
      location: line.whole(),
      source: options.text,
      hint: "remove the line",
    });
  }
  const offset = indent + match[0].length;
  const { flags, rest } = cutFlags(line.text.slice(offset));
  const raw = line.text.slice(offset + rest);
  const args = trimSpace(raw);
  const argsStart = offset + rest + leadingSpace(raw);
  const source: InstructionSource = {
    line,
    ...options,
    name: word.replace(/[a-z]+/g, (letters) => letters.toUpperCase()),
    flags: flags.map((flag) => toFlag(flag, line, offset)),
    args,
    argsStart,
    heredocs: [],
    location: line.whole(),
    keyword: line.range(indent, indent + word.length),
  };
  const heredocs = readHeredocs(source, reader);
  return parseInstruction(heredocs.length === 0 ? source : { ...source, heredocs, location: line.whole(reader.end) });
}

function toFlag(flag: { text: string; start: number; end: number }, line: LogicalLine, offset: number): Flag {
  const at = flag.text.indexOf("=");
  return {
    name: at < 0 ? flag.text.slice(2) : flag.text.slice(2, at),
    value: at < 0 ? "" : flag.text.slice(at + 1),
    hasValue: at >= 0,
    location: line.range(offset + flag.start, offset + flag.end),
  };
}

function readHeredocs(source: InstructionSource, reader: LineReader): readonly Heredoc[] {
  const { line } = source;
  if (!line.text.includes("<<") || !mayHaveHeredocs(source)) return [];
  return findHeredocs(line.text).map(({ start, end, ...heredoc }) => {
    const location = line.range(start, end);
    const body = reader.heredoc(heredoc.name, heredoc.chomp);
    if (body === undefined) {
      throw syntaxError(source, `Cannot read ${source.name}: the heredoc <<${heredoc.name} has no end`, {
        code: "E_HEREDOC",
        at: location,
        hint: `end it with a line that says ${heredoc.name}`,
      });
    }
    return { ...heredoc, body, content: heredoc.chomp ? body.replace(/(^|\n)\t+/g, "$1") : body, location };
  });
}

/** RUN, COPY, ADD and ONBUILD of them, but not the exec form. */
function mayHaveHeredocs({ name, args }: InstructionSource): boolean {
  const inner = name === "ONBUILD" ? /^(?<name>[^\t\v\f\r ]+)(?<rest>[^]*)$/.exec(args)?.groups : { name, rest: args };
  if (inner === undefined || !withHeredocs.has((inner["name"] ?? "").toUpperCase())) return false;
  const rest = inner["rest"] ?? "";
  return parseJsonForm(name === "ONBUILD" ? rest.slice(cutFlags(rest).rest) : rest) === undefined;
}

function toStages(
  instructions: readonly Instruction[],
  fail: (code: string, message: string, location: SourceLocation, hint?: string) => DockerfileError,
): { readonly globalArgs: readonly ArgInstruction[]; readonly stages: readonly Stage[] } {
  const globalArgs: ArgInstruction[] = [];
  const stages: { from: FromInstruction; instructions: Instruction[] }[] = [];
  for (const instruction of instructions) {
    if (instruction.kind === "FROM") stages.push({ from: instruction, instructions: [] });
    else if (stages.length > 0) stages.at(-1)?.instructions.push(instruction);
    else if (instruction.kind === "ARG") globalArgs.push(instruction);
    else {
      throw fail(
        "E_NO_FROM",
        `Cannot use ${instruction.kind} before FROM: the first instruction is FROM, or ARG before it`,
        instruction.keyword,
        "begin with FROM image",
      );
    }
  }
  const [first] = instructions;
  if (stages.length === 0 && first !== undefined) {
    throw fail("E_NO_FROM", "Cannot build: the Dockerfile has no FROM", first.location, "add FROM image");
  }
  return { globalArgs, stages: stages.map((stage, index) => ({ index, name: stage.from.name, ...stage })) };
}
