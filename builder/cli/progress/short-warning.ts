import type { BuildWarning } from "../../graph/events.ts";

/** `Rule: message (line 3)`, as BuildKit has it in one line. */
export function shortWarning({ rule, message, location }: BuildWarning): string {
  const name = rule === undefined ? "" : `${rule}: `;
  const line = location === undefined ? "" : ` (line ${location.start.line})`;
  return `${name}${message}${line}`;
}
