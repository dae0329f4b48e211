import { TsbuildError } from "../../../native/errors.ts";
import { makeStyle, type Style } from "../terminal/style.ts";
import { printable } from "../base/text.ts";
import { annotation } from "./annotation.ts";
import { causes, explain } from "./explain.ts";
import { placeLines } from "./place.ts";

/** How an error is shown. */
export interface RenderOptions {
  readonly color: boolean;
  readonly debug: boolean;
  /** Columns; long source lines are cut to it. */
  readonly width?: number;
}

const maxLines = 12;

/** The error as text for standard error: at most 12 lines, no stack; with `debug` the chain of causes. */
export function renderError(thrown: unknown, options: RenderOptions): string {
  const style = makeStyle(options.color);
  const told = explain(thrown);
  const [first = "", ...more] = told.message.split("\n").map(printable);
  const lines = [`${style.error(`error[${told.code}]`)}: ${style.bold(first)}`];
  for (const line of more.slice(0, 3)) lines.push(`  ${line}`);
  if (told.at !== undefined) lines.push(...placeLines(told.at, style, style.error, options.width ?? 120));
  const help = helpLines(told.hint, style);
  const room = maxLines - lines.length - Math.min(help.length, 5);
  const notes = told.notes.flatMap((note) => note.split("\n")).map(printable);
  lines.push(...notes.slice(0, Math.max(0, room)).map((note) => `  ${style.dim("=")} ${note}`));
  lines.push(...help.slice(0, Math.max(1, maxLines - lines.length)));
  if (options.debug) lines.push(...debugLines(thrown, style));
  return `${lines.join("\n")}\n`;
}

/** The error as a workflow command, so that it stands at its line in a pull request. */
export function errorAnnotation(thrown: unknown): string {
  const { code: title, message, at } = explain(thrown);
  return `${annotation("error", { title, message, at: at?.location })}\n`;
}

function helpLines(hint: string | undefined, style: Style): readonly string[] {
  if (hint === undefined || hint === "") return [];
  const [first = "", ...more] = hint.split("\n").map(printable);
  return [`  ${style.run("help:")} ${first}`, ...more.map((line) => `    ${line}`)];
}

function debugLines(thrown: unknown, style: Style): readonly string[] {
  return causes(thrown).flatMap((cause, i) => {
    if (!(cause instanceof Error)) return [`  caused by: ${printable(String(cause))}`];
    const code = cause instanceof TsbuildError ? ` [${cause.code}]` : "";
    const stack = (cause.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
    const head = i === 0 ? `  debug: ${cause.name}${code}` : `  caused by: ${cause.name}${code}: ${cause.message}`;
    return [head, ...stack.slice(0, 8).map((line) => style.dim(`      ${line.trim()}`))];
  });
}
