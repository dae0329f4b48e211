import type { SourceLocation } from "../../base/location.ts";
import { cut, displayWidth, printable } from "../base/text.ts";
import { shownLines } from "./shown-lines.ts";

/** The lines of a code frame: the line before, the line itself, and carets with a label under it. */
export function codeFrame(source: string, location: SourceLocation, label: string | undefined, width: number): Frame {
  const lines = shownLines(source);
  const { start, end } = location;
  const gutter = String(start.line).length + 3;
  const row = (number: number): string => `${String(number).padStart(gutter)} | `;
  const text = lines[start.line - 1] ?? "";
  const room = Math.max(20, width - gutter - 3);
  const before = lines[start.line - 2];
  const from = displayWidth(shown(text.slice(0, start.column - 1)));
  const stop = end.line === start.line ? end.column - 1 : text.length;
  const marked = shown(text.slice(start.column - 1, Math.max(stop, start.column)));
  const skip = Math.max(0, Math.min(from - 10, displayWidth(shown(text)) - room));
  const carets = Math.max(1, Math.min(displayWidth(marked.trimEnd()), room - (from - skip)));
  const note = label === undefined ? "" : ` ${printable(label)}`;
  return {
    before: before === undefined || start.line < 2 ? undefined : row(start.line - 1) + cut(shown(before), room),
    line: row(start.line) + cut(shown(text).slice(skip), room),
    caret: `${" ".repeat(gutter)} | ${" ".repeat(from - skip)}`,
    marks: "^".repeat(carets) + cut(note, 100),
  };
}

/** `caret` is what stands before `marks`, so that the marks alone can be coloured. */
export interface Frame {
  readonly before: string | undefined;
  readonly line: string;
  readonly caret: string;
  readonly marks: string;
}

function shown(text: string): string {
  return printable(text.replaceAll("\t", "    "));
}
