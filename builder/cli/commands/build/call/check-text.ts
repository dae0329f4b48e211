import type { CheckResult, CheckWarning } from "../../../../engine/subrequest/check.ts";
import { expandedWarning, type WarningOptions } from "../../../progress/warnings.ts";
import { printable } from "../../../base/text.ts";
import { sourceLines } from "./source-lines.ts";

/** What buildx prints of a check: the count, then each warning with its lines. */
export function checkText(result: CheckResult): string {
  const { warnings, error } = result;
  if (warnings.length === 0) return error === undefined ? "Check complete, no warnings found.\n" : "";
  const count = warnings.length === 1 ? "1 warning has been found!" : `${warnings.length} warnings have been found!`;
  return `Check complete, ${count}\n${warningsText(result)}`;
}

/** The warnings alone: what BuildKit calls result.txt. */
export function warningsText({ warnings, source }: Pick<CheckResult, "warnings" | "source">): string {
  return warnings.map((warning) => warningText(warning, source)).join("");
}

function warningText({ rule, url, message, location }: CheckWarning, source: string): string {
  const more = url === undefined ? "" : ` - ${url}`;
  return `\nWARNING: ${rule}${more}\n${printable(message)}\n${sourceLines(source, location)}`;
}

/** What tsbuild's own checks found, apart from BuildKit's. */
export function ownText({ own, source }: CheckResult, options: WarningOptions): string {
  if (own.length === 0) return "";
  const lines = own.flatMap((warning) => ["", ...expandedWarning(asBuildWarning(warning, source), options)]);
  return `\ntsbuild's own checks found ${own.length} more (--check-own=false turns them off):\n${lines.join("\n")}\n`;
}

function asBuildWarning(warning: CheckWarning, source: string): Parameters<typeof expandedWarning>[0] {
  const { description, ...rest } = warning;
  return { ...rest, detail: [description], source };
}
