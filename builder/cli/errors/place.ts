import type { SourceLocation } from "../../base/location.ts";
import type { Style } from "../terminal/style.ts";
import { printable } from "../base/text.ts";
import { codeFrame } from "./frame.ts";

/** What is shown of a place in a Dockerfile. `source`: the file's text. */
export interface ShownPlace {
  readonly location: SourceLocation;
  readonly source: string;
  /** Which stage and step. */
  readonly step?: string | undefined;
  /** Text under the caret. */
  readonly label?: string | undefined;
}

/** `--> Dockerfile:3:5` and the line with carets under the words. */
export function placeLines(
  { location, source, step, label }: ShownPlace,
  style: Style,
  paint: (text: string) => string,
  width: number,
): readonly string[] {
  const { file, start } = location;
  const shownStep = step === undefined ? "" : `   (${printable(step)})`;
  const place = `  ${style.run("-->")} ${printable(file)}:${start.line}:${start.column}${shownStep}`;
  const frame = codeFrame(source, location, label, width);
  const before = frame.before === undefined ? [] : [style.dim(frame.before)];
  return [place, ...before, frame.line, frame.caret + paint(frame.marks)];
}
