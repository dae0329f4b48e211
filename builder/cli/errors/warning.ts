import type { Warning } from "../flags/command.ts";
import { makeStyle } from "../terminal/style.ts";
import { printable } from "../base/text.ts";

/** `warning[W_CODE]: what` and the command that helps. */
export function renderWarning({ code, message, hint }: Warning, color: boolean): string {
  const style = makeStyle(color);
  const help = hint === undefined ? "" : `  ${style.run("help:")} ${printable(hint)}\n`;
  return `${style.warning(`warning[${code}]`)}: ${printable(message)}\n${help}`;
}
