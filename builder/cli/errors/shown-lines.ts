import { hideUsers } from "../../base/redact-url.ts";

/** The last one that was asked for: a check asks for its Dockerfile with each warning. */
let last: { readonly source: string; readonly lines: readonly string[] } | undefined;

/** The lines of a Dockerfile as they may be shown: without users and passwords in URLs. */
export function shownLines(source: string): readonly string[] {
  if (last?.source !== source) last = { source, lines: hideUsers(source).split(/\r?\n/) };
  return last.lines;
}
