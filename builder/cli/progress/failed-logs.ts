import { plainLine, printable } from "../base/text.ts";
import { isCanceled, type Trace } from "./trace.ts";

/** The last lines of the step that failed, for modes that do not leave them on the screen. */
export function failedLogs(trace: Trace, lines: number): string {
  const failed = trace.steps.find((step) => step.error !== undefined && !isCanceled(step));
  if (failed === undefined || failed.tail.length === 0) return "";
  const tail = failed.tail.slice(-lines).map((line) => `${plainLine(line)}\n`);
  return `------\n > ${printable(failed.name)}:\n${tail.join("")}------\n`;
}
