import { terminalText } from "../../base/terminal-lines.ts";
import type { SourceLocation } from "../../base/location.ts";

/** A workflow command that puts a message at its line in a pull request. @see GitHub Actions, workflow commands */
export function annotation(
  level: "error" | "warning",
  {
    title,
    message,
    at,
  }: { readonly title: string; readonly message: string; readonly at?: SourceLocation | undefined },
): string {
  const place = at === undefined ? "" : `file=${property(at.file)},line=${at.start.line},col=${at.start.column},`;
  return `::${level} ${place}title=${property(title)}::${data(message)}`;
}

function data(text: string): string {
  return terminalText(text).replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
