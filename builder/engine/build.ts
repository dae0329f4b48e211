import { availableParallelism } from "node:os";
import { onGroupMade, parseCgroupParent } from "../../runtime/index.ts";
import { openStore } from "../../store/open.ts";
import { digestOf } from "../../store/oci/digest.ts";
import type { NamedImage } from "../../store/oci/image.ts";
import { normalizeTag } from "../../store/oci/reference.ts";
import type { Store } from "../../store/store.ts";
import {
  givenAdvice,
  givenChecks,
  givenGitFlags,
  givenHostname,
  givenSyntax,
  withBuiltinArgs,
} from "../options/builtin-args.ts";
import { openContextDirectory } from "../inputs/context/dockerfile.ts";
import { DeviceAccess } from "../inputs/cdi/access.ts";
import { FetchedTrees } from "../inputs/context/fetched-trees.ts";
import { openMainContext } from "../inputs/context/main.ts";
import { sourceTime } from "../inputs/context/source-time.ts";
import { openNamedTrees } from "../inputs/context/named-trees.ts";
import { checkReaders } from "../inputs/context/spool.ts";
import { fetchContext, fetchDockerfile, isRemoteDockerfile } from "../inputs/context/remote.ts";
import { parseContextUrl } from "../inputs/context/url.ts";
import { parseContexts, type ContextTable } from "../inputs/context/named.ts";
import { ContextTrees } from "../inputs/context/trees.ts";
import { Workspace } from "../inputs/context/workspace.ts";
import type { DockerfileAst } from "../dockerfile/ast.ts";
import { parseDockerfile } from "../dockerfile/parse.ts";
import { suggest } from "../base/suggest.ts";
import { EventQueue } from "../base/event-queue.ts";
import type { BuildEvent, BuildResult, BuildWarning, ProgressSink } from "../graph/events.ts";
import { checkedOutputs, exportResult } from "../output/export.ts";
import { parseCacheLimit, type CacheLimit } from "../graph/cache-limit.ts";
import type { BuildPlan } from "../convert/convert.ts";
import { proxyArgs } from "../graph/proxy-args.ts";
import { bottom, squashVertex } from "../convert/squash.ts";
import { isStage } from "../convert/stage-names.ts";
import { checkOptions } from "../../native/arguments.ts";
import { now } from "../../native/clock.ts";
import { definitionStep, internalStep } from "../graph/internal-step.ts";
import { Linter } from "../lint/linter.ts";
import { chosenRules } from "../lint/own.ts";
import { toBuildWarning } from "../lint/warnings.ts";
import { prepareRunEnvironment, type RunEnvironment } from "../ops/container/run-environment.ts";
import type { RunSettings } from "../ops/run.ts";
import { opTable } from "../ops/table.ts";
import type { BuildOptions } from "../options/options.ts";
import { buildTable } from "../options/option-tables.ts";
import { makePlan } from "./plan.ts";
import { tellingNetwork } from "../graph/network-warning.ts";
import { requireRoot } from "./require-root.ts";
import { BuildRecorder, type BuildFacts } from "../solve/record/recorder.ts";
import { ShellEnded, ShellOpener } from "../ops/shell/debug.ts";
import { placeShell } from "../ops/shell/place.ts";
import { Secrets } from "../inputs/secrets/secrets.ts";
import { Solver } from "../solve/solver.ts";
import { StepHistory } from "../solve/step-history.ts";
import { withSpaceHint } from "../base/space-error.ts";
import { GitSource } from "../inputs/source/git/source.ts";
import { HttpSource } from "../inputs/source/http/source.ts";
import { sourceProgress, type SourceProgress } from "../inputs/source/progress.ts";
import { UrlCredentials } from "../inputs/source/url-credentials.ts";
import type { SshSource } from "../inputs/ssh/agents.ts";
import { openAgents } from "../inputs/ssh/open-agents.ts";
import { ImageSource } from "../inputs/source/image/images.ts";
import { layoutImage } from "../inputs/source/image/layout.ts";
import { TsbuildError } from "../../native/errors.ts";
import { beforeEnd } from "../../native/process-end.ts";
import { WorkerPool } from "../solve/worker/pool.ts";

/** The name that BuildKit gives to the host of every RUN. */
const sandboxHostname = "buildkitsandbox";

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

async function runBuild(options: BuildOptions, tell: ProgressSink, signal: AbortSignal): Promise<BuildResult> {
  checkOptions("build", options, buildTable);
  requireRoot("build");
  const warnings: BuildWarning[] = [];
  const emit = tellingNetwork(keepingWarnings(tell, warnings));
  const given = { context: options.context, dockerfile: options.dockerfile, stdin: options.stdin };
  const contextUrl = given.context === "-" ? undefined : parseContextUrl(given.context);
  if (given.context !== "-" && contextUrl === undefined) openContextDirectory(given.context);
  const names = (options.tags ?? []).map(normalizeTag);
  const outputs = checkedOutputs(options, names);
  const contexts = parseContexts(options.contexts ?? {});
  checkReaders(
    given,
    [...contexts].flatMap(([name, { kind }]) => (kind === "stdin" ? [name] : [])),
  );
  const secrets = new Secrets(options.secrets ?? {});
  const ssh = await openAgents(options.ssh);
  if (options.cgroupParent !== undefined) parseCgroupParent(options.cgroupParent);
  const devices = new DeviceAccess(options.allow ?? [], options.cdiDirectories);
  await using store = await openStore({ root: options.root });
  using _groups = onGroupMade((path) => store.noteOutside(path));
  const registry = options.registry ?? {};
  await using workers = new WorkerPool();
  await using source = new ImageSource({
    store,
    policy: options.pull ?? "missing",
    registry,
    workers,
    signal,
    squashOwners: options.squashOwners,
  });
  const credentials = new UrlCredentials(secrets.mask);
  await using http = new HttpSource({ store, registry, secrets, credentials });
  using git = new GitSource({ store, registry, secrets, credentials, ssh, advice: givenAdvice(options) });
  using workspace = new Workspace(() => store.scratch);
  const progress = (name: string): SourceProgress => sourceProgress(emit, { digest: digestOf(name), name }, signal);
  const gitFlags = givenGitFlags(options);
  const remote =
    contextUrl === undefined
      ? undefined
      : await fetchContext(contextUrl, { http, git, credentials, gitFlags, progress });
  const remoteDockerfile = isRemoteDockerfile(given.dockerfile)
    ? await fetchDockerfile(given.dockerfile, { http, credentials, progress })
    : undefined;
  const main = await internalStep(emit, definitionStep.name, () =>
    openMainContext({ ...given, remote, remoteDockerfile, workspace, signal }),
  );
  const { file } = main;
  const text = file.bytes.toString("utf8");
  const { ownChecks, target: targetName } = options;
  const linter = new Linter({
    source: text,
    given: givenChecks(options),
    ignore: main.ignore,
    own: await chosenRules(ownChecks, "few"),
    ownErrors: ownChecks === "error",
    target: targetName,
  });
  const { debug } = options;
  const images = new Map<string, NamedImage>();
  const { ast, placed, plan } = await telling(linter, emit, text, async () => {
    const parsed = parseDockerfile(text, file.name, { syntax: givenSyntax(options), observer: linter });
    const placed = debug?.at === undefined ? undefined : placeShell(parsed, debug.at, options.target);
    const ast = placed?.ast ?? parsed;
    const asked = placed === undefined ? options : { ...options, target: placed.target };
    options = await withBuiltinArgs(asked, ast, {
      context: main.time,
      contexts,
      source: async (from, name) => await sourceTime(from, name, { http, git, progress, workspace, signal }),
      keepUser: (url, user) => credentials.keep(url, user),
    });
    const plan = await planBuild({
      options,
      ast,
      emit,
      source,
      images,
      contexts,
      credentials,
      devices,
      store,
      signal,
      linter,
    });
    return { ast, placed, plan };
  });
  linter.verdict();
  for (const name of plan.unusedArgs) {
    emit({ kind: "warning", time: now(), message: `One or more build-args [${name}] were not consumed` });
  }
  warnOfFilters(options, ast, emit);
  const trees = new ContextTrees(store.root);
  trees.add("", main);
  for (const [name, tree] of await openNamedTrees(contexts, { stdin: given.stdin, workspace, signal }))
    trees.add(name, tree);
  const project = [main.id, file.path, options.platform ?? ""].join("\0");
  const target =
    placed === undefined
      ? squashVertex(plan, { squash: options.squash, epoch: options.sourceDateEpoch })
      : { ...plan.target, ignoreCache: true };
  const shellAt = placed === undefined ? undefined : { vertex: target.digest, where: placed.where };
  const shells = debug === undefined ? undefined : new ShellOpener(debug, shellAt);
  const history = new StepHistory({ states: store.states, project, target });
  using recorder = new BuildRecorder(store.builds, buildFacts(options, { directory: main.id, file: file.path, names }));
  const solver = new Solver({
    store,
    emit: (event) => {
      recorder.event(event);
      emit(event);
    },
    signal,
    workers,
    squashOwners: options.squashOwners ?? false,
    parallelism: parallelism(options.maxParallelism),
    slotPrefix: project,
    history,
    cacheLimit: cacheLimit(options.cacheTtl),
    logPath: (digest) => recorder.logPath(digest),
    ops: opTable({
      source,
      images,
      sources: { openContext: (name) => trees.open(name), http, git, trees: new FetchedTrees(trees, workspace) },
      run: { ...runSettings({ options, store, ast, secrets, ssh, devices }), shells },
    }),
  });
  try {
    const result = await solver.solve(target);
    trees.save();
    await solver.keep();
    const base = baseImage(plan, images);
    const exported = await exportResult({
      store,
      solver,
      plan,
      result,
      base,
      options: { ...options, outputs },
      names,
      emit,
      signal,
      epoch: options.sourceDateEpoch,
    });
    const { network } = recorder;
    const made = { ...exported, buildRef: recorder.id, warnings, ...(network === undefined ? {} : { network }) };
    attempt(() => history.save());
    recorder.finish({ result: made }, (digest) => history.key(digest));
    emit({ kind: "result", time: now(), result: made });
    return made;
  } catch (error) {
    trees.save();
    // What was finished before the failure is kept: the next build goes on from there.
    await solver.keep().catch(() => undefined);
    if (placed !== undefined) throw error instanceof ShellEnded ? error : withSpaceHint(error);
    attempt(() => history.save());
    recorder.finish({ error }, (digest) => history.key(digest));
    throw withSpaceHint(error);
  }
}

/** Tells the warnings of what is done, also when it fails. */
async function telling<T>(linter: Linter, emit: ProgressSink, source: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } finally {
    for (const warning of linter.warnings) emit({ kind: "warning", time: now(), ...toBuildWarning(warning, source) });
  }
}

/** A Dockerfile made to have more warnings than this is not told of all in its result. */
const mostWarnings = 1000;

function keepingWarnings(tell: ProgressSink, warnings: BuildWarning[]): ProgressSink {
  return (event) => {
    if (event.kind === "warning" && warnings.length < mostWarnings) {
      const { kind: _kind, time: _time, ...warning } = event;
      warnings.push(warning);
    }
    tell(event);
  };
}

async function planBuild(parts: {
  readonly options: BuildOptions;
  readonly ast: DockerfileAst;
  readonly emit: ProgressSink;
  readonly source: ImageSource;
  readonly images: Map<string, NamedImage>;
  readonly contexts: ContextTable;
  readonly credentials: UrlCredentials;
  readonly store: Store;
  readonly devices: DeviceAccess;
  readonly signal: AbortSignal;
  readonly linter: Linter;
}): Promise<BuildPlan> {
  const { source, images, store, signal, linter: observer, credentials } = parts;
  const keep = (found: NamedImage): NamedImage => {
    images.set(found.manifest.descriptor.digest, found);
    return found;
  };
  return await makePlan({
    ...parts,
    observer,
    keepUser: (url, user) => credentials.keep(url, user),
    findImage: async (name, platform) => keep(await source.find(name, platform)),
    findLayout: async (request) => keep(await layoutImage(store, { ...request, signal })),
  });
}

function runSettings(parts: {
  readonly options: BuildOptions;
  readonly store: Store;
  readonly ast: DockerfileAst;
  readonly secrets: Secrets;
  readonly ssh: SshSource | undefined;
  readonly devices: DeviceAccess;
}): Omit<RunSettings, "shells"> {
  const { options, store, ast, secrets, ssh, devices } = parts;
  const given = Object.fromEntries(Object.entries(options.buildArgs ?? {}).filter(([name]) => proxyArgs.has(name)));
  const env = options.hostEnv ?? {};
  let made: RunEnvironment | undefined;
  return {
    environment: () =>
      (made ??= prepareRunEnvironment(store.scratch, {
        hostname: givenHostname(options) ?? sandboxHostname,
        env,
        given,
        hosts: options.addHosts ?? [],
        network: options.network,
      })),
    epoch: options.sourceDateEpoch,
    source: ast.text,
    secrets,
    ssh,
    emptiedCaches: new Map(),
    devices,
    resources: options.resources ?? {},
    cgroupParent: options.cgroupParent,
  };
}

/** The image that the target's layers stand on. */
function baseImage(plan: BuildPlan, images: ReadonlyMap<string, NamedImage>): NamedImage | undefined {
  const { op } = bottom(plan.target);
  return op.kind === "image" ? images.get(op.manifest) : undefined;
}

/** A name of --no-cache-filter that no stage has does nothing: that is hardly meant. */
function warnOfFilters({ noCache }: BuildOptions, ast: DockerfileAst, emit: ProgressSink): void {
  if (noCache === undefined || typeof noCache === "boolean") return;
  const stages = ast.stages.flatMap((stage) => stage.name ?? []);
  for (const name of noCache) {
    if (ast.stages.some((stage) => isStage(stage, name))) continue;
    const near = suggest(name, stages);
    const meant = near === undefined ? "" : ` (did you mean ${near}?)`;
    emit({
      kind: "warning",
      time: now(),
      message: `No stage is called ${JSON.stringify(name)}: --no-cache-filter does nothing${meant}`,
    });
  }
}

function parallelism(limit: number | undefined): number {
  return limit === 0 ? Infinity : (limit ?? 2 * availableParallelism());
}

function buildFacts(
  options: BuildOptions,
  found: { readonly directory: string; readonly file: string; readonly names: readonly string[] },
): BuildFacts {
  const { target, platform } = options;
  return {
    context: found.directory,
    dockerfile: found.file,
    tags: found.names,
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
