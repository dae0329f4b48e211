import { DockerfileError } from "../../base/error.ts";
import type { Flag, Heredoc } from "../ast.ts";
import type { LogicalLine } from "../lines.ts";
import type { SourceLocation } from "../../base/location.ts";

/** One instruction as cut from the file, before its arguments have a meaning. */
export interface InstructionSource {
  readonly line: LogicalLine;
  /** The file's text. */
  readonly text: string;
  readonly escape: "\\" | "`";
  /** Upper case. */
  readonly name: string;
  readonly flags: readonly Flag[];
  /** What follows the flags, trimmed, and where it begins in the line. */
  readonly args: string;
  readonly argsStart: number;
  readonly heredocs: readonly Heredoc[];
  readonly location: SourceLocation;
  readonly keyword: SourceLocation;
}

/** The fields that every instruction has. */
export interface CommonFields {
  readonly original: string;
  readonly location: SourceLocation;
  readonly lines: SourceLocation;
  readonly keyword: SourceLocation;
  readonly flags: readonly Flag[];
  readonly heredocs: readonly Heredoc[];
  readonly comments: readonly string[];
  readonly emptyLines: readonly SourceLocation[];
}

export function commonFields(source: InstructionSource): CommonFields {
  const { line, location, keyword, flags, heredocs } = source;
  const { text: original, comments, emptyLines } = line;
  return { original, location, lines: line.whole(), keyword, flags, heredocs, comments, emptyLines };
}

/** An error at a place of the instruction; without a place at all of it. */
export function syntaxError(
  source: InstructionSource,
  message: string,
  options: {
    readonly code?: string;
    readonly at?: SourceLocation;
    readonly hint?: string;
    readonly label?: string;
  } = {},
): DockerfileError {
  const { code = "E_DOCKERFILE_SYNTAX", at = source.location, hint, label } = options;
  return new DockerfileError(message, {
    code,
    location: at,
    source: source.text,
    ...(hint === undefined ? {} : { hint }),
    ...(label === undefined ? {} : { label }),
  });
}

/** The range of a word of the arguments. */
export function argRange(source: InstructionSource, start: number, end: number): SourceLocation {
  return source.line.range(source.argsStart + start, source.argsStart + end);
}
