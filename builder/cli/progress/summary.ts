import type { BuildResult } from "../../events.ts";
import { dockerSize } from "../format/size.ts";
import { familiarName } from "../format/names.ts";
import type { Style } from "../style.ts";
import { printable } from "../text.ts";
import { isCanceled, type Step, type Trace } from "./trace.ts";

/** The closing lines of a build that worked. `seconds` is the whole of it. */
export function buildSummary(result: BuildResult, trace: Trace | undefined, seconds: number, style: Style): string {
  const name = result.names[0];
  const shown = name === undefined ? "image" : familiarName(name);
  const digest = result.imageID ?? result.manifestDigest;
  const layers = `${result.layers} layer${result.layers === 1 ? "" : "s"}`;
  const facts =
    digest === undefined ? [] : [`${digest.slice(0, "sha256:".length + 12)}`, `${dockerSize(result.size)} (${layers})`];
  const next =
    name === undefined ? (result.imageID?.slice("sha256:".length).slice(0, 12) ?? "") : shown.replace(/:latest$/, "");
  const what = digest === undefined ? "finished" : `built ${shown}`;
  const hint = next === "" ? "" : `   next: tsbuild run ${next}`;
  const head = [`${style.run("✔")} ${style.bold(`${what} in ${seconds.toFixed(1)}s`)}`, ...facts].join("  ") + hint;
  const { total, cached } = result.steps;
  const slowest = slowestStep(trace);
  const parts = [
    ...(slowest === undefined ? [] : [`slowest: ${slowest}`]),
    ...(total === 0 ? [] : [`cache: ${cached}/${total} hits`]),
  ];
  return ` ${head}\n${parts.length === 0 ? "" : `   ${style.dim(parts.join("   ·   "))}\n`}`;
}

/** The last lines of the step that failed, for modes that do not leave them on the screen. */
export function failedLogs(trace: Trace, lines: number): string {
  const failed = trace.steps.find((step) => step.error !== undefined && !isCanceled(step));
  if (failed === undefined || failed.tail.length === 0) return "";
  const tail = failed.tail.slice(-lines).map((line) => `${line}\n`);
  return `------\n > ${printable(failed.name)}:\n${tail.join("")}------\n`;
}

function slowestStep(trace: Trace | undefined): string | undefined {
  const took = (step: Step): number => (step.completed ?? 0) - (step.started ?? step.completed ?? 0);
  const candidates = (trace?.steps ?? []).filter((step) => !step.cached && took(step) >= 50);
  const [slowest] = candidates.toSorted((a, b) => took(b) - took(a));
  if (slowest === undefined) return undefined;
  const name = printable(slowest.name);
  return `${name.length > 60 ? `${name.slice(0, 59)}…` : name} ${(took(slowest) / 1000).toFixed(1)}s`;
}
