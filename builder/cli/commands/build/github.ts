import { randomBytes } from "node:crypto";
import { appendFileSync } from "node:fs";
import { errorMessage } from "../../../../native/errors.ts";
import type { BuildResult } from "../../../graph/events.ts";
import type { Invocation } from "../../flags/command.ts";
import { dockerSize } from "../../format/size.ts";
import { explain } from "../../errors/explain.ts";
import { familiarName } from "../../format/names.ts";
import type { Step, Trace } from "../../progress/trace.ts";

/** What a job's later steps and its summary page are told of a build. */
export interface ToldBuild {
  readonly result: BuildResult;
  readonly trace: Trace | undefined;
  readonly seconds: number;
  /** What --metadata-file has. */
  readonly metadata: object;
}

/** `imageid`, `digest` and `metadata` as outputs of the job's step, and a table on its page. */
export function tellGithub(told: ToldBuild, invocation: Invocation): void {
  const { imageID, manifestDigest } = told.result;
  const outputs = [
    ...(imageID === undefined ? [] : [output("imageid", imageID)]),
    ...(manifestDigest === undefined ? [] : [output("digest", manifestDigest)]),
    output("metadata", JSON.stringify(told.metadata)),
  ];
  append("GITHUB_OUTPUT", outputs.join(""), invocation);
  if (wantsSummary(invocation)) append("GITHUB_STEP_SUMMARY", summaryOf(told), invocation);
}

/** The error on the job's page. */
export function tellGithubFailure(thrown: unknown, invocation: Invocation): void {
  if (!wantsSummary(invocation)) return;
  const { code, message, notes, hint, at } = explain(thrown);
  const place = at === undefined ? "" : ` at \`${at.location.file}:${at.location.start.line}\``;
  const lines = [`### ❌ Build failed${place}`, "", fenced([`${code}: ${message}`, ...notes].join("\n"))];
  append(
    "GITHUB_STEP_SUMMARY",
    `${[...lines, ...(hint === undefined ? [] : ["", escapeHtml(hint)])].join("\n")}\n\n`,
    invocation,
  );
}

/** A value of several lines, or of hostile ones, stands between two lines that nobody can guess. */
function output(name: string, value: string): string {
  const end = `tsbuild_${randomBytes(8).toString("hex")}`;
  return `${name}<<${end}\n${value}\n${end}\n`;
}

/** docker's variable says no too. */
function wantsSummary({ config }: Invocation): boolean {
  return config.env["DOCKER_BUILD_SUMMARY"] !== "false";
}

function append(variable: string, text: string, { config, warn }: Invocation): void {
  const file = config.env[variable] ?? "";
  if (file === "") return;
  try {
    appendFileSync(file, text);
  } catch (error) {
    warn({ code: "W_CI_FILE", message: `${variable} cannot be written: ${errorMessage(error)}` });
  }
}

function summaryOf({ result, trace, seconds }: ToldBuild): string {
  const { names, imageID, manifestDigest, steps } = result;
  const rows: readonly (readonly [string, string])[] = [
    ...names.map((name): [string, string] => ["name", code(familiarName(name))]),
    ...(imageID === undefined ? [] : [["image ID", code(imageID)] as const]),
    ...(manifestDigest === undefined ? [] : [["digest", code(manifestDigest)] as const]),
    ["size", `${dockerSize(result.size)} (${result.layers} layer${result.layers === 1 ? "" : "s"})`],
    ["time", `${seconds.toFixed(1)}s`],
    ["cache", `${steps.cached} of ${steps.total} steps`],
  ];
  const table = rows.map(([name, value]) => `| ${name} | ${value} |`);
  return [
    `### ✔ Built ${names[0] === undefined ? "an image" : code(familiarName(names[0]))}`,
    "",
    "| | |",
    "|---|---|",
    ...table,
    ...slowest(trace),
    "",
    "",
  ].join("\n");
}

/** The steps that took time, the longest first. */
function slowest(trace: Trace | undefined): readonly string[] {
  const took = (step: Step): number => (step.completed ?? 0) - (step.started ?? step.completed ?? 0);
  const steps = (trace?.steps ?? []).filter((step) => !step.cached && took(step) >= 1000);
  if (steps.length === 0) return [];
  const rows = steps
    .toSorted((a, b) => took(b) - took(a))
    .slice(0, 10)
    .map((step) => `| ${code(step.name)} | ${(took(step) / 1000).toFixed(1)}s | ${code(step.misses[0] ?? "")} |`);
  return ["", "| Step | Time | Why it ran |", "|---|---|---|", ...rows];
}

/** Text of others in a table: no markup, no cell of its own, no line end. */
function code(text: string): string {
  return text === "" ? "" : `<code>${escapeHtml(text.replace(/\s+/g, " ")).replaceAll("|", "&#124;")}</code>`;
}

function fenced(text: string): string {
  return `<pre>${escapeHtml(text)}</pre>`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replace(/[`*_[\]\\~]/g, (char) => `&#${char.charCodeAt(0)};`);
}
