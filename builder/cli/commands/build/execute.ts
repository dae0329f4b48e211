import { isatty } from "node:tty";
import type { BuildResult } from "../../../graph/events.ts";
import type { BuildOptions } from "../../../options/options.ts";
import type { DebugOptions } from "../../../ops/shell/debug.ts";
import { buildRequest } from "../build-request.ts";
import type { Invocation } from "../../flags/command.ts";
import { callOf } from "./call/call-flag.ts";
import type { Config } from "../../config/config.ts";
import { resultStream } from "../../terminal/output.ts";
import { writeResultFile } from "../result-file.ts";
import { openProgress, progressMode } from "../../progress/view.ts";
import { type ProgressView } from "../../progress/progress-view.ts";
import { makeStyle } from "../../terminal/style.ts";
import { monotonic } from "../../../../native/clock.ts";

/** `tsbuild build`: nothing on standard output but what -q, `-o -` or --call asks for. */
export async function execute(invocation: Invocation): Promise<number> {
  const { flags, config, out } = invocation;
  const call = callOf(flags);
  if (call !== undefined) {
    const { executeCall } = await import("./call/execute.ts");
    return await executeCall(call, invocation);
  }
  const started = monotonic();
  const request = buildRequest(invocation, isatty(1));
  const quiet = flags.bool("quiet");
  const view = await openProgress(progressMode(flags.string("progress"), quiet, config), config, out);
  const result = await buildWith(request, view, invocation).catch(async (error: unknown) => {
    const { withShellHint } = await import("./shell-hint.ts");
    const told = withShellHint(error, request, flags);
    if (config.githubActions) (await import("./github.ts")).tellGithubFailure(told, invocation);
    throw told;
  });
  const seconds = (monotonic() - started) / 1000;
  const toStdout = request.outputs?.some((output) => "dest" in output && output.dest === "-") === true;
  await writeFiles(result, invocation);
  if (config.githubActions) {
    const { tellGithub } = await import("./github.ts");
    const metadata = await metadataOf(result, config);
    tellGithub({ result, trace: view.trace, seconds, metadata }, invocation);
  }
  if (quiet && !toStdout && result.imageID !== undefined) out.result(`${result.imageID}\n`);
  if (view.verbose) {
    const { buildSummary } = await import("../../progress/summary.ts");
    const options = {
      trace: view.trace,
      seconds,
      stored: request.outputs === undefined || request.outputs.some((output) => output.type === "image"),
      written: (request.outputs ?? []).flatMap((output) => ("dest" in output ? [output.dest] : [])),
    };
    out.notice(`\n${buildSummary(result, options, makeStyle(config.color, config.colors))}`);
  }
  return 0;
}

async function buildWith(request: BuildOptions, view: ProgressView, invocation: Invocation): Promise<BuildResult> {
  const toStdout = request.outputs?.some((output) => "dest" in output && output.dest === "-") === true;
  const readers = [request.context, request.dockerfile, ...Object.values(request.contexts ?? {})];
  const stdin = readers.includes("-") ? { stdin: process.stdin } : {};
  let failed = true;
  let shown = true;
  const end = (): void => {
    if (shown) view.end(failed);
    shown = false;
  };
  const debug: DebugOptions = {
    attend: async (offered) => {
      end();
      const { attendShell } = await import("../attend-shell.ts");
      return await attendShell(offered, invocation);
    },
  };
  try {
    const { build } = await import("../../../index.ts");
    await using running = build({
      ...request,
      ...stdin,
      ...(toStdout ? { stdout: resultStream() } : {}),
      ...(invocation.flags.bool("shell-on-fail") ? { debug } : {}),
      onEvent: (event) => (shown ? view.sink(event) : undefined),
    });
    const result = await running.result;
    failed = false;
    return result;
  } finally {
    end();
    await tellWarnings(view, invocation);
  }
}

/** What the build was warned of, below its progress; before the error when it failed. */
async function tellWarnings({ trace, verbose }: ProgressView, { flags, config, out }: Invocation): Promise<void> {
  if (trace === undefined || trace.warnings.length === 0 || !verbose) return;
  const { warningAnnotation, warningSummary } = await import("../../progress/warnings.ts");
  const { color, colors, githubActions } = config;
  const style = makeStyle(color, colors);
  const debug = flags.bool("debug") || config.debug;
  const width = process.stderr.columns ?? 120;
  out.notice(warningSummary(trace.warnings, { style, debug, width }));
  if (githubActions) for (const warning of trace.warnings) out.control(warningAnnotation(warning));
}

/** --iidfile and --metadata-file, with buildx's keys. Readers see the old file or the whole new one. */
async function writeFiles(result: BuildResult, { flags, config }: Invocation): Promise<void> {
  const iidfile = flags.string("iidfile");
  if (iidfile !== undefined && result.imageID !== undefined) writeResultFile(iidfile, result.imageID);
  const metadata = flags.string("metadata-file");
  if (metadata === undefined) return;
  writeResultFile(metadata, `${JSON.stringify(await metadataOf(result, config), undefined, 2)}\n`);
}

async function metadataOf(result: BuildResult, config: Config): Promise<object> {
  const { warningOf } = await import("../../progress/json.ts");
  const wantsWarnings = ["1", "true"].includes(config.env["BUILDX_METADATA_WARNINGS"] ?? "");
  return {
    "buildx.build.ref": `tsbuild/local/${result.buildRef}`,
    ...(wantsWarnings ? { "buildx.build.warnings": result.warnings.map(warningOf) } : {}),
    ...(result.imageID === undefined ? {} : { "containerimage.config.digest": result.imageID }),
    ...(result.manifestDigest === undefined ? {} : { "containerimage.digest": result.manifestDigest }),
    ...(result.descriptor === undefined ? {} : { "containerimage.descriptor": result.descriptor }),
    ...(result.names.length === 0 ? {} : { "image.name": result.names.join(",") }),
  };
}
