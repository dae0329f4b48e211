import { jsonText } from "./json.ts";
import { compileTemplate } from "./template.ts";
import { renderTable, type Column } from "./table.ts";

/** One value: `json`, or a template and a newline. */
export function formatOne(format: string, value: unknown): string {
  if (format === "json") return `${jsonText(value)}\n`;
  return `${compileTemplate(format)(value)}\n`;
}

/** Rows as docker lists them: a table, `json` = one object a line, `table {{.A}}\t{{.B}}` or a template a row. */
export function formatRows<T extends object>(
  format: string | undefined,
  rows: readonly T[],
  columns: readonly Column<T>[],
): string {
  if (format === undefined || format === "" || format === "table") return renderTable(rows, columns);
  if (format === "json") return rows.map((row) => `${jsonText(row)}\n`).join("");
  if (!format.startsWith("table ")) {
    const template = compileTemplate(format);
    return rows.map((row) => `${template(row)}\n`).join("");
  }
  const body = format.slice("table ".length).replaceAll("\\t", "\t");
  const heads = Object.fromEntries(columns.map((column) => [column.field, column.title]));
  const template = compileTemplate(body);
  const lines = [heads, ...rows].map((row) => template(row).split("\t"));
  return renderTable(
    lines.slice(1),
    (lines[0] ?? []).map((title, i) => ({ title, field: String(i), cell: (line) => line[i] ?? "" })),
  );
}
