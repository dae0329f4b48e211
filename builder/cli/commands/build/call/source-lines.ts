import type { SourceLocation } from "../../../../base/location.ts";
import { shownLines } from "../../../errors/shown-lines.ts";
import { printable } from "../../../base/text.ts";

/** Lines of one place that are shown at most. */
const mostLines = 100;
const rule = "--------------------";

/** The lines of a place marked with `>>>` among their neighbours. @see BuildKit's errdefs.Source.Print */
export function sourceLines(source: string, { file, start, end }: SourceLocation): string {
  const lines = shownLines(source);
  const last = Math.min(Math.max(end.line, start.line), lines.length);
  const around = widened({ from: start.line, to: last, count: lines.length });
  const rows: string[] = [];
  for (let at = around.from; at <= around.to; at++) {
    if (rows.length === mostLines) {
      rows.push("  ...");
      break;
    }
    const mark = at >= start.line && at <= last ? ">>>" : "   ";
    rows.push(` ${String(at).padStart(3)} | ${mark} ${shown(lines[at - 1] ?? "")}`);
  }
  return `${[`${printable(file)}:${start.line}`, rule, ...rows, rule].join("\n")}\n`;
}

/** Two lines of the surroundings for several, four for one; those that one side has not are not made up for. */
function widened(range: { readonly from: number; readonly to: number; readonly count: number }): {
  readonly from: number;
  readonly to: number;
} {
  let { from, to } = range;
  const wanted = from === to ? 4 : 2;
  for (let added = 0; added < wanted; added++) {
    if (from > 1) {
      from--;
      added++;
    }
    if (to < range.count) {
      to++;
      added++;
    }
  }
  return { from, to };
}

/** Tabs stay, other control characters are shown and not obeyed. */
function shown(line: string): string {
  return line.split("\t").map(printable).join("\t");
}
