import type { Position, SourceLocation } from "../base/location.ts";
import { leadingSpace, trimSpace } from "./words.ts";

/** Where a piece of a joined line came from. */
interface Segment {
  readonly start: number;
  readonly line: number;
  readonly column: number;
}

/** One instruction's text with its continuation lines joined, and the way back to where each character was. */
export class LogicalLine {
  readonly text: string;
  readonly comments: readonly string[];
  /** Empty lines that were skipped between its lines. */
  readonly emptyLines: readonly SourceLocation[];
  readonly #file: string;
  readonly #segments: readonly Segment[];
  readonly #end: Position;

  constructor(init: {
    readonly file: string;
    readonly text: string;
    readonly segments: readonly Segment[];
    readonly comments: readonly string[];
    readonly emptyLines: readonly SourceLocation[];
    readonly end: Position;
  }) {
    this.#file = init.file;
    this.text = init.text;
    this.comments = init.comments;
    this.emptyLines = init.emptyLines;
    this.#segments = init.segments;
    this.#end = init.end;
  }

  position(offset: number): Position {
    let [low, high] = [0, this.#segments.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#segments[middle]?.start ?? 0) <= offset) low = middle;
      else high = middle;
    }
    const segment = this.#segments[low];
    if (segment === undefined) return { line: 1, column: 1 };
    return { line: segment.line, column: segment.column + offset - segment.start };
  }

  /** The range of offsets `from` to `to` (exclusive) of the joined text. */
  range(from: number, to: number): SourceLocation {
    const last = this.position(Math.max(from, to - 1));
    return {
      file: this.#file,
      start: this.position(from),
      end: { line: last.line, column: last.column + (to > from ? 1 : 0) },
    };
  }

  /** All of it; `end` after the heredocs that belong to it. */
  whole(end: Position = this.#end): SourceLocation {
    const { line = 1, column = 1 } = this.#segments[0] ?? {};
    return { file: this.#file, start: { line, column }, end };
  }
}

/** Splits a file's text into lines; a byte order mark is dropped, a carriage return stays at the end of its line. */
export function splitLines(text: string): readonly string[] {
  const lines = text.replace(/^\ufeff/, "").split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** A line without what ends it. */
export function trimLine(line: string): string {
  let end = line.length;
  while (line[end - 1] === "\r") end--;
  return line.slice(0, end);
}

/** Reads instructions line by line; heredoc bodies are taken by the caller through heredoc(). */
export class LineReader {
  readonly #file: string;
  readonly #lines: readonly string[];
  readonly #continued: RegExp;
  #at: number;

  constructor(options: {
    readonly file: string;
    readonly lines: readonly string[];
    readonly escape: string;
    readonly start: number;
  }) {
    this.#file = options.file;
    this.#lines = options.lines;
    this.#at = options.start;
    const escape = options.escape === "\\" ? "\\\\" : options.escape;
    this.#continued = new RegExp(`([^${escape}])${escape}[ \\t]*$|^${escape}[ \\t]*$`);
  }

  /** The position behind the last line read. */
  get end(): Position {
    return { line: Math.max(1, this.#at), column: trimLine(this.#lines[this.#at - 1] ?? "").length + 1 };
  }

  /** The next instruction; undefined at the end of the file. */
  next(): LogicalLine | undefined {
    let comments: string[] = [];
    for (; this.#at < this.#lines.length;) {
      const raw = trimLine(this.#lines[this.#at] ?? "");
      const skipped = leadingSpace(raw);
      const line = raw.slice(skipped);
      this.#at++;
      if (line.startsWith("#")) {
        const comment = trimSpace(line.slice(1));
        if (comment === "") comments = [];
        else comments.push(comment);
        continue;
      }
      if (line !== "") return this.#join(line, skipped, comments);
    }
    return undefined;
  }

  /** The lines up to the terminator, as they are; undefined when it never comes. */
  heredoc(name: string, chomp: boolean): string | undefined {
    const start = this.#at;
    while (this.#at < this.#lines.length) {
      const line = trimLine(this.#lines[this.#at++] ?? "");
      if ((chomp ? line.replace(/^\t+/, "") : line) !== name) continue;
      return this.#lines
        .slice(start, this.#at - 1)
        .map((one) => `${one}\n`)
        .join("");
    }
    return undefined;
  }

  #join(first: string, skipped: number, comments: readonly string[]): LogicalLine {
    const emptyLines: SourceLocation[] = [];
    const segments: Segment[] = [{ start: 0, line: this.#at, column: skipped + 1 }];
    let { text, more } = this.#trim(first);
    while (more && this.#at < this.#lines.length) {
      const line = trimLine(this.#lines[this.#at++] ?? "");
      const bare = line.slice(leadingSpace(line));
      if (bare.startsWith("#")) continue;
      if (bare === "") {
        emptyLines.push(this.#emptyLine(line));
        continue;
      }
      segments.push({ start: text.length, line: this.#at, column: 1 });
      const part = this.#trim(line);
      text += part.text;
      more = part.more;
    }
    return new LogicalLine({ file: this.#file, text, segments, comments, emptyLines, end: this.end });
  }

  #trim(line: string): { text: string; more: boolean } {
    return this.#continued.test(line)
      ? { text: line.replace(this.#continued, "$1"), more: true }
      : { text: line, more: false };
  }

  #emptyLine(line: string): SourceLocation {
    const start = { line: this.#at, column: 1 };
    return { file: this.#file, start, end: { line: this.#at, column: line.length + 1 } };
  }
}
