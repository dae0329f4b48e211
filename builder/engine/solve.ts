import { availableParallelism } from "node:os";
import { now } from "../../native/clock.ts";
import { TsbuildError } from "../../native/errors.ts";
import { withSpaceHint } from "../base/space-error.ts";
import { squashVertex } from "../convert/squash.ts";
import { parseCacheLimit, type CacheLimit } from "../graph/cache-limit.ts";
import type { BuildResult, ProgressSink } from "../graph/events.ts";
import type { Vertex } from "../graph/vertex.ts";
import { FetchedTrees } from "../inputs/context/fetched-trees.ts";
import { openNamedTrees } from "../inputs/context/named-trees.ts";
import { ContextTrees } from "../inputs/context/trees.ts";
import { ShellEnded, ShellOpener } from "../ops/shell/debug.ts";
import { opTable } from "../ops/table.ts";
import { BuildRecorder, type BuildFacts } from "../solve/record/recorder.ts";
import { Solver } from "../solve/solver.ts";
import type { SolvedStep } from "../solve/step.ts";
import { StepHistory } from "../solve/step-history.ts";
import type { Definition } from "./definition.ts";
import type { PlannedBuild } from "./plan.ts";
import type { BuildRequest } from "./request.ts";
import { runSettings } from "./run-settings.ts";
import type { BuildSession } from "./session.ts";
import type { BuildStages } from "./stages.ts";

/** All that is known of a build before its first step. */
export interface ReadBuild {
  readonly request: BuildRequest;
  readonly definition: Definition;
  readonly stages: BuildStages;
  readonly plan: PlannedBuild;
}

/** The steps of one build while they are solved, with what remembers and records them. */
export class Solution implements Disposable {
  readonly solver: Solver;
  readonly #target: Vertex;
  readonly #trees: ContextTrees;
  readonly #history: StepHistory;
  readonly #recorder: BuildRecorder;
  readonly #emit: ProgressSink;
  readonly #isShell: boolean;

  /** Opens the contexts that the steps read. @throws E_CONTEXT, E_CONTEXT_STDIN, E_TAR_*, E_COMPRESSION, E_CACHE_LIMIT */
  static async open(build: ReadBuild, session: BuildSession): Promise<Solution> {
    const { definition, request } = build;
    const trees = new ContextTrees(session.store.root);
    trees.add("", definition.main);
    const { workspace, signal } = session;
    const named = await openNamedTrees(definition.contexts, { stdin: request.options.stdin, workspace, signal });
    for (const [name, tree] of named) trees.add(name, tree);
    return new Solution(build, session, trees);
  }

  private constructor(build: ReadBuild, session: BuildSession, trees: ContextTrees) {
    const { definition, stages, plan } = build;
    const { options } = stages;
    const { store, signal, workers } = session;
    const limit = cacheLimit(options.cacheTtl);
    const project = [definition.main.id, definition.file.path, options.platform ?? ""].join("\0");
    const target = targetOf(stages, plan);
    const history = new StepHistory({ states: store.states, project, target });
    const recorder = new BuildRecorder(store.builds, buildFacts(build));
    const { http, git, workspace } = session;
    const fetched = new FetchedTrees(trees, workspace);
    this.solver = new Solver({
      store,
      emit: (event) => {
        recorder.event(event);
        session.emit(event);
      },
      signal,
      workers,
      squashOwners: options.squashOwners ?? false,
      parallelism: parallelism(options.maxParallelism),
      slotPrefix: project,
      history,
      cacheLimit: limit,
      logPath: (digest) => recorder.logPath(digest),
      ops: opTable({
        source: session.images,
        images: plan.images,
        sources: { openContext: (name) => trees.open(name), http, git, trees: fetched },
        run: { ...runSettings(session, stages, build.request.devices), shells: shellsOf(stages, target) },
      }),
    });
    this.#emit = session.emit;
    this.#trees = trees;
    this.#target = target;
    this.#history = history;
    this.#recorder = recorder;
    this.#isShell = stages.shell !== undefined;
  }

  /** The target's result; every step that was finished is durable then. @throws the first failure of a step */
  async solve(): Promise<SolvedStep> {
    const result = await this.solver.solve(this.#target);
    this.#trees.save();
    await this.solver.keep();
    return result;
  }

  /** Does all of the build, and keeps what became of it for builds to come and for who asks later. */
  async recorded(act: () => Promise<Omit<BuildResult, "buildRef" | "network">>): Promise<BuildResult> {
    try {
      const exported = await act();
      const { network, id } = this.#recorder;
      const result = { ...exported, buildRef: id, ...(network === undefined ? {} : { network }) };
      this.#record({ result });
      this.#emit({ kind: "result", time: now(), result });
      return result;
    } catch (error) {
      this.#trees.save();
      // What was finished before the failure is kept: the next build goes on from there.
      await this.solver.keep().catch(() => undefined);
      if (this.#isShell) throw error instanceof ShellEnded ? error : withSpaceHint(error);
      this.#record({ error });
      throw withSpaceHint(error);
    }
  }

  [Symbol.dispose](): void {
    this.#recorder[Symbol.dispose]();
  }

  #record(outcome: Parameters<BuildRecorder["finish"]>[0]): void {
    attempt(() => this.#history.save());
    this.#recorder.finish(outcome, (digest) => this.#history.key(digest));
  }
}

/** What is solved: the stage, its layers made one, or a step that is a shell. */
function targetOf({ shell, options }: BuildStages, plan: PlannedBuild): Vertex {
  if (shell !== undefined) return { ...plan.target, ignoreCache: true };
  return squashVertex(plan, { squash: options.squash, epoch: options.sourceDateEpoch });
}

function shellsOf({ shell, options: { debug } }: BuildStages, target: Vertex): ShellOpener | undefined {
  if (debug === undefined) return undefined;
  return new ShellOpener(debug, shell === undefined ? undefined : { vertex: target.digest, where: shell });
}

/** Steps at once. */
function parallelism(limit: number | undefined): number {
  return limit === 0 ? Infinity : (limit ?? 2 * availableParallelism());
}

function buildFacts({ request, definition, stages }: ReadBuild): BuildFacts {
  const { target, platform } = stages.options;
  return {
    context: definition.main.id,
    dockerfile: definition.file.path,
    tags: request.names,
    ...(target === undefined ? {} : { target }),
    ...(platform === undefined ? {} : { platform }),
  };
}

/** @throws E_CACHE_LIMIT */
function cacheLimit(text: string | undefined): CacheLimit | undefined {
  const limit = text === undefined ? undefined : parseCacheLimit(text);
  if (text === undefined || limit !== undefined) return limit;
  throw new TsbuildError(`Cannot limit the cache to ${JSON.stringify(text)}: it is no duration`, {
    code: "E_CACHE_LIMIT",
    hint: "12h, 1h30m, 7d or never",
  });
}

/** What only explains builds must not fail them. */
function attempt(act: () => void): void {
  try {
    act();
  } catch {
    // Such as a full disk, which the build itself reports.
  }
}
