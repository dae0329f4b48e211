import { isatty } from "node:tty";
import type { BuildOptions } from "../../../../options/options.ts";
import { buildRequest } from "../../build-request.ts";
import type { Invocation } from "../../../flags/command.ts";
import { jsonText } from "../../../format/json.ts";
import { warningAnnotation, type WarningOptions } from "../../../progress/warnings.ts";
import { openProgress, progressMode } from "../../../progress/view.ts";
import { writeResultFile } from "../../result-file.ts";
import { makeStyle } from "../../../terminal/style.ts";
import { printable } from "../../../base/text.ts";
import type { CallRequest } from "./call-flag.ts";
import { checkText, ownText, warningsText } from "./check-text.ts";
import { checkJson, outlineJson, targetsJson } from "./json.ts";
import { outlineText, targetsText } from "./tables.ts";

/** What a call gives. */
interface Answer {
  readonly json: object;
  /** For standard output, and as BuildKit's frontend says it. */
  readonly text: string;
  readonly plain: string;
  readonly status: 0 | 1;
  /** Of the outcome, beside the answer itself: for standard error. */
  readonly notices: readonly string[];
  /** Commands of a CI service. */
  readonly annotations: readonly string[];
  /** What is thrown once the answer is out. */
  readonly error: Error | undefined;
}

/** `tsbuild build --call`: the answer goes to standard output; nothing is built, and the store is not written to. */
export async function executeCall(call: CallRequest, invocation: Invocation): Promise<number> {
  const { flags, config, out } = invocation;
  const request = buildRequest(invocation, isatty(1));
  const mode = progressMode(flags.string("progress"), flags.bool("quiet"), config);
  const view = await openProgress(mode, config, out, "Checking");
  let failed = true;
  let answer: Answer;
  try {
    answer = await ask(call, { ...request, ...standardInput(request), onEvent: view.sink }, invocation);
    failed = false;
  } finally {
    view.end(failed);
  }
  writeMetadata(flags.string("metadata-file"), answer);
  out.result(call.format === "json" ? `${jsonText(answer.json, 2)}\n` : answer.text);
  for (const notice of answer.notices) out.notice(`${notice}\n`);
  for (const one of answer.annotations) out.control(one);
  if (answer.error !== undefined) throw answer.error;
  return call.ignoreStatus ? 0 : answer.status;
}

async function ask({ name, format }: CallRequest, options: BuildOptions, invocation: Invocation): Promise<Answer> {
  const { check, outline, targets } = await import("../../../../index.ts");
  switch (name) {
    case "check":
      return checkAnswer(await check(options), format, invocation);
    case "outline": {
      const found = await outline(options);
      const text = outlineText(found);
      const notices = notes(found.notes);
      return { ...unannotated, json: outlineJson(found), text, plain: text, notices };
    }
    case "targets": {
      const found = await targets(options);
      const text = targetsText(found);
      return { ...unannotated, json: targetsJson(found), text, plain: text, notices: [] };
    }
    default:
      return name satisfies never;
  }
}

const unannotated = { status: 0, annotations: [], error: undefined } as const;

type Checked = Awaited<ReturnType<typeof import("../../../../index.ts").check>>;

function checkAnswer(found: Checked, format: CallRequest["format"], { config, flags }: Invocation): Answer {
  const { color, colors, githubActions } = config;
  const debug = flags.bool("debug") || config.debug;
  // The answer is for standard output, which colours are not made for.
  const options: WarningOptions = { style: makeStyle(color && isatty(1), colors), debug, width: 120 };
  const annotated = githubActions && format === "text" ? [...found.warnings, ...found.own].map(warningAnnotation) : [];
  return {
    json: checkJson(found),
    text: checkText(found) + ownText(found, options),
    plain: warningsText(found),
    status: found.warnings.length > 0 || found.error !== undefined ? 1 : 0,
    notices: notes(found.notes),
    annotations: annotated,
    error: found.error,
  };
}

function notes(texts: readonly string[]): readonly string[] {
  return texts.map((text) => `note: ${printable(text)}; what it says of variables and its platform was not checked`);
}

function standardInput({ context, dockerfile }: BuildOptions): Pick<BuildOptions, "stdin"> {
  return context === "-" || dockerfile === "-" ? { stdin: process.stdin } : {};
}

/** With buildx's keys. */
function writeMetadata(file: string | undefined, { json, plain, status }: Answer): void {
  if (file === undefined) return;
  const fields = { "result.json": json, "result.statuscode": String(status), "result.txt": plain, version: "1.0.0" };
  writeResultFile(file, `${JSON.stringify(fields, undefined, 2)}\n`);
}
