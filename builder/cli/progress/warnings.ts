import type { BuildWarning } from "../../graph/events.ts";
import { isOwn } from "../../lint/rule.ts";
import { annotation } from "../errors/annotation.ts";
import { placeLines } from "../errors/place.ts";
import type { Style } from "../terminal/style.ts";
import { printable } from "../base/text.ts";
import { shortWarning } from "./short-warning.ts";

/** How the warnings of a build are told at its end. */
export interface WarningOptions {
  readonly style: Style;
  /** All that is known of each. */
  readonly debug: boolean;
  readonly width: number;
}

/** What buildx prints below the progress, and tsbuild's own checks apart from it; nothing when there are none. */
export function warningSummary(warnings: readonly BuildWarning[], options: WarningOptions): string {
  const isOurs = ({ rule }: BuildWarning): boolean => rule !== undefined && isOwn(rule);
  const [own, others] = [warnings.filter(isOurs), warnings.filter((warning) => !isOurs(warning))];
  const count = (list: readonly BuildWarning[]): string =>
    list.length === 1 ? "1 warning" : `${list.length} warnings`;
  const expand = options.debug ? "" : " (use --debug to expand)";
  const parts = [
    ...listed(`${count(others)} found${expand}:`, others, options),
    ...listed(`${count(own)} of tsbuild's own checks (--check-own=false turns them off):`, own, options),
  ];
  return parts.length === 0 ? "" : `\n ${parts.join("\n ")}\n`;
}

function listed(head: string, warnings: readonly BuildWarning[], options: WarningOptions): readonly string[] {
  if (warnings.length === 0) return [];
  const lines = options.debug
    ? warnings.flatMap((warning) => ["", ...expandedWarning(warning, options)])
    : warnings.map((warning) => ` - ${printable(shortWarning(warning))}`);
  return [[options.style.warning(head), ...lines].join("\n")];
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
  return `${annotation("warning", { title: rule ?? "tsbuild", message, at })}\n`;
}
