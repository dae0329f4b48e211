import type { BuildWarning } from "../../events.ts";
import { annotation } from "../errors/annotation.ts";
import { placeLines } from "../errors/place.ts";
import type { Style } from "../style.ts";
import { printable } from "../text.ts";
import { shortWarning } from "./short-warning.ts";

/** How the warnings of a build are told at its end. */
export interface WarningOptions {
  readonly style: Style;
  /** All that is known of each. */
  readonly debug: boolean;
  readonly githubActions: boolean;
  readonly width: number;
}

/** What buildx prints below the progress; nothing when there are none. */
export function warningSummary(warnings: readonly BuildWarning[], options: WarningOptions): string {
  if (warnings.length === 0) return "";
  const { style, debug, githubActions } = options;
  const count = warnings.length === 1 ? "1 warning found" : `${warnings.length} warnings found`;
  const head = style.warning(`${count}${debug ? "" : " (use --debug to expand)"}:`);
  const lines = debug
    ? warnings.flatMap((warning) => ["", ...expandedWarning(warning, options)])
    : warnings.map((warning) => ` - ${printable(shortWarning(warning))}`);
  const notes = githubActions ? warnings.map(warningAnnotation) : [];
  return `\n ${[head, ...lines, ...notes].join("\n")}\n`;
}

/** A warning as errors are told: its place, the line, what should be and how to mend it. */
export function expandedWarning(warning: BuildWarning, { style, width }: WarningOptions): readonly string[] {
  const { rule, message, detail = [], url, location, at = location, hint, source } = warning;
  const code = rule === undefined ? "warning" : `warning[${printable(rule)}]`;
  const place =
    at === undefined || source === undefined ? [] : placeLines({ location: at, source }, style, style.warning, width);
  return [
    `${style.warning(code)}: ${style.bold(printable(message))}`,
    ...place,
    ...[...detail, ...(url === undefined ? [] : [url])].map((text) => `  ${style.dim("=")} ${printable(text)}`),
    ...(hint === undefined ? [] : [`  ${style.run("help:")} ${printable(hint)}`]),
  ];
}

/** @see annotation */
export function warningAnnotation({ rule, message, location, at = location }: BuildWarning): string {
  return annotation("warning", { title: rule ?? "tsbuild", message, at });
}
