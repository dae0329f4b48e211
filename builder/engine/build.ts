import { checkOptions } from "../../native/arguments.ts";
import { beforeEnd } from "../../native/process-end.ts";
import { EventQueue } from "../base/event-queue.ts";
import { bottom } from "../convert/squash.ts";
import type { BuildEvent, BuildResult, BuildWarning, ProgressSink } from "../graph/events.ts";
import { tellingNetwork } from "../graph/network-warning.ts";
import type { BuildOptions } from "../options/options.ts";
import { buildTable } from "../options/option-tables.ts";
import { exportResult } from "../output/export.ts";
import type { SolvedStep } from "../solve/step.ts";
import { Definition } from "./definition.ts";
import { planBuild } from "./plan.ts";
import { checkRequest } from "./request.ts";
import { requireRoot } from "./require-root.ts";
import { BuildSession } from "./session.ts";
import { Solution, type ReadBuild } from "./solve.ts";
import { readStages } from "./stages.ts";
import { keepingWarnings, reportingChecks, warnOfArgs, warnOfFilters } from "./warnings.ts";

/** A build under way: its events in order, and its result. Dispose aborts what still runs and waits for it. */
export class Build implements AsyncIterable<BuildEvent>, AsyncDisposable {
  readonly result: Promise<BuildResult>;
  readonly #events = new EventQueue<BuildEvent>();
  readonly #abort = new AbortController();

  constructor(given: BuildOptions) {
    // What is no object at all is told of by the result, as every other wrong option.
    const options: BuildOptions = Object(given);
    const emit: ProgressSink = (event) => {
      options.onEvent?.(event);
      if (options.onEvent === undefined) this.#events.push(event);
    };
    const { signal: own } = options;
    const signal = own instanceof AbortSignal ? AbortSignal.any([own, this.#abort.signal]) : this.#abort.signal;
    const ending = beforeEnd(async () => await this[Symbol.asyncDispose]());
    this.result = runBuild(given, emit, signal).finally(() => {
      this.#events.end();
      ending[Symbol.dispose]();
    });
    this.result.catch(() => undefined);
  }

  [Symbol.asyncIterator](): AsyncGenerator<BuildEvent> {
    return this.#events[Symbol.asyncIterator]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.result.catch(() => undefined);
  }
}

/** Dockerfile text -> AST -> stages -> step graph -> solver -> image -> outputs. */
async function runBuild(options: BuildOptions, tell: ProgressSink, signal: AbortSignal): Promise<BuildResult> {
  checkOptions("build", options, buildTable);
  requireRoot("build");
  const warnings: BuildWarning[] = [];
  const emit = tellingNetwork(keepingWarnings(tell, warnings));
  const request = checkRequest(options);
  await using session = await BuildSession.open(options, { emit, signal });
  const definition = await Definition.open(request, session);
  const linter = await definition.linter("few");
  const { stages, plan } = await reportingChecks({ linter, source: definition.text, emit }, async () => {
    const read = await readStages(definition, options, { session, observer: linter });
    return { stages: read, plan: await planBuild(read, session, { ...request, observer: linter }) };
  });
  linter.verdict();
  warnOfArgs(plan, emit);
  warnOfFilters(stages.options, stages.ast, emit);
  const build = { request, definition, stages, plan };
  using solution = await Solution.open(build, session);
  return await solution.recorded(async () => {
    const result = await solution.solve();
    return { ...(await output(build, { session, solution, result })), warnings };
  });
}

/** Brings what was built to where it is to go. @throws E_OUTPUT_*, RegistryError */
async function output(
  { request, stages, plan }: ReadBuild,
  {
    session,
    solution,
    result,
  }: { readonly session: BuildSession; readonly solution: Solution; readonly result: SolvedStep },
): ReturnType<typeof exportResult> {
  const { store, emit, signal } = session;
  const { op } = bottom(plan.target);
  return await exportResult({
    store,
    solver: solution.solver,
    plan,
    result,
    base: op.kind === "image" ? plan.images.get(op.manifest) : undefined,
    options: { ...stages.options, outputs: request.outputs },
    names: request.names,
    emit,
    signal,
    epoch: stages.options.sourceDateEpoch,
  });
}
