import type { WriteStream } from "node:tty";

/** Of a terminal that does not say: what all programs assume. One of a serial line, or of a test, says 0. */
export function terminalSize(stream: Partial<Pick<WriteStream, "columns" | "rows">>): {
  readonly columns: number;
  readonly rows: number;
} {
  return { columns: stream.columns || 80, rows: stream.rows || 24 };
}
