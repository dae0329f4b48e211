import { displayWidth, printable } from "../base/text.ts";

/** A column: its title, the row's field for templates, and the text of a cell. */
export interface Column<T> {
  readonly title: string;
  readonly field: string;
  readonly cell: (row: T) => string;
}

/** Left-aligned columns, three spaces apart, as docker prints them. Control characters are shown, not obeyed. */
export function renderTable<T>(rows: readonly T[], columns: readonly Column<T>[]): string {
  const lines = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ cell }) => printable(cell(row)))),
  ];
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => displayWidth(line[i] ?? ""))));
  return lines
    .map((line) => {
      const cells = line.map((cell, i) => cell + " ".repeat((widths[i] ?? 0) - displayWidth(cell)));
      return `${cells.join("   ").trimEnd()}\n`;
    })
    .join("");
}
