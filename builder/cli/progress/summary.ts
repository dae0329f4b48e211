import type { BuildResult } from "../../graph/events.ts";
import { dockerSize } from "../format/size.ts";
import { familiarName } from "../format/names.ts";
import type { Style } from "../terminal/style.ts";
import { printable } from "../base/text.ts";
import { foldMisses } from "../../solve/record/roots.ts";
import { causeText } from "../../graph/causes.ts";
import type { Step, Trace } from "./trace.ts";

/** What the closing lines tell beside the result. */
export interface SummaryOptions {
  readonly trace: Trace | undefined;
  /** The whole of it. */
  readonly seconds: number;
  /** Where the result went other than into the store: `out`, `image.tar`. */
  readonly written?: readonly string[];
  /** Whether the image is in the store, so that it can be run. */
  readonly stored: boolean;
}

/** The closing lines of a build that worked. */
export function buildSummary(result: BuildResult, options: SummaryOptions, style: Style): string {
  const { trace, seconds } = options;
  const { what, next } = headline(result, options);
  const id = result.imageID ?? result.manifestDigest;
  const layers = `${result.layers} layer${result.layers === 1 ? "" : "s"}`;
  const facts = id === undefined ? [] : [id.slice(0, "sha256:".length + 12), `${dockerSize(result.size)} (${layers})`];
  const head = [`${style.run("✔")} ${style.bold(`${what} in ${seconds.toFixed(1)}s`)}`, ...facts].join("  ");
  const { total, cached } = result.steps;
  const slowest = slowestStep(trace);
  const parts = [
    ...(slowest === undefined ? [] : [`slowest: ${slowest}`]),
    ...(total === 0 ? [] : [`cache: ${cached}/${total} hits`]),
  ];
  const tail = parts.length === 0 ? "" : `   ${style.dim(parts.join("   ·   "))}\n`;
  const why = missLine(trace);
  const because = why === undefined ? "" : `   ${style.dim(why)}\n`;
  return ` ${head}${next === undefined ? "" : `   next: tsbuild run ${next}`}\n${tail}${because}`;
}

/** Why steps ran, in one line; nothing for a first build, where that needs no telling. */
function missLine(trace: Trace | undefined): string | undefined {
  const roots = foldMisses((trace?.steps ?? []).filter(({ causes }) => causes.length > 0));
  const told = roots.filter(({ root }) => root.causes.some(({ kind }) => kind !== "first"));
  const [first] = told;
  const [cause] = first?.root.causes ?? [];
  if (first === undefined || cause === undefined) return undefined;
  const more = told.length + first.root.causes.length - 2;
  const step = printable(first.root.name.replace(/^\[[^\]]*\] /, ""));
  const clipped = step.length > 40 ? `${step.slice(0, 39)}…` : step;
  return `ran: ${clipped} (${printable(causeText(cause))}${more > 0 ? `; ${more} more: tsbuild why` : ""})`;
}

/** What was made, and what `tsbuild run` would call it. */
function headline(result: BuildResult, { stored, written = [] }: SummaryOptions): Headline {
  const [name] = result.names;
  const files = written.map(printable).join(", ");
  if (stored && result.imageID !== undefined) {
    const id = result.imageID.slice("sha256:".length).slice(0, 12);
    if (name === undefined) return { what: "built image", next: id };
    return { what: `built ${familiarName(name)}`, next: familiarName(name).replace(/:latest$/, "") };
  }
  return { what: files === "" ? "finished" : `wrote ${files}`, next: undefined };
}

interface Headline {
  readonly what: string;
  readonly next: string | undefined;
}

function slowestStep(trace: Trace | undefined): string | undefined {
  const took = (step: Step): number => (step.completed ?? 0) - (step.started ?? step.completed ?? 0);
  const candidates = (trace?.steps ?? []).filter((step) => !step.cached && took(step) >= 50);
  const [slowest] = candidates.toSorted((a, b) => took(b) - took(a));
  if (slowest === undefined) return undefined;
  const name = printable(slowest.name);
  return `${name.length > 60 ? `${name.slice(0, 59)}…` : name} ${(took(slowest) / 1000).toFixed(1)}s`;
}
