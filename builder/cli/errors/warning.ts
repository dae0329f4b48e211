import type { Warning } from "../command.ts";
import { makeStyle } from "../style.ts";
import { printable } from "../text.ts";
import { annotation } from "./annotation.ts";

/** `warning[W_CODE]: what` and the command that helps. */
export function renderWarning(
  { code, message, hint }: Warning,
  { color, githubActions }: { readonly color: boolean; readonly githubActions: boolean },
): string {
  const style = makeStyle(color);
  const help = hint === undefined ? "" : `  ${style.run("help:")} ${printable(hint)}\n`;
  const note = githubActions ? `${annotation("warning", { title: code, message })}\n` : "";
  return `${style.warning(`warning[${code}]`)}: ${printable(message)}\n${help}${note}`;
}
