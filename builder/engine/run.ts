import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { isAbsolute, posix } from "node:path";
import { checkOptions } from "../../native/arguments.ts";
import { TsbuildError } from "../../native/errors.ts";
import { beforeEnd } from "../../native/process-end.ts";
import {
  availableCapabilities,
  defaultCapabilities,
  exitCode,
  mountOfWords,
  onGroupMade,
  startContainer,
  StartError,
  type Container,
  type BindMount,
  type ContainerSpec,
  type Mount,
  type ResourceLimits,
  type Stdio,
} from "../../runtime/index.ts";
import { imageID, targetOf, type NamedImage } from "../../store/oci/image.ts";
import { openStore } from "../../store/open.ts";
import { lowerDirs, type ActiveSnapshot, type Snapshot } from "../../store/snapshot/snapshotter.ts";
import { splitEnv, defaultPath } from "../base/env.ts";
import { checkRunnable } from "../convert/runnable.ts";
import { userFiles } from "../ops/container/user-files.ts";
import { resolveUser, type ResolvedUser } from "../ops/container/user.ts";
import { requireRoot } from "./require-root.ts";
import { explainStart } from "../ops/container/start-failure.ts";
import type { RunOptions } from "../options/options.ts";
import { runTable } from "../options/option-tables.ts";
import { StreamPipes } from "./run-streams.ts";
import { limitSpec } from "../ops/container/run-limits.ts";
import { prepareRunEnvironment, withStubs, type RunEnvironment } from "../ops/container/run-environment.ts";
import { prepareImage } from "./prepare-image.ts";

/** Docker's codes for a container that did not run: the engine failed, the program could not be run, or not found. */
export const runExitCodes = { engine: 125, denied: 126, notFound: 127 } as const;

/** A container of an image, running. Dispose kills it and removes what it wrote. */
export interface RunningImage extends AsyncDisposable {
  readonly container: Container;
  /** The program's exit code, or 128 + the signal that ended it. */
  readonly exitCode: Promise<number>;
}

/**
 * Starts a container of an image, which is pulled when it is not there.
 * @throws StartError E_EXEC_NOT_FOUND, E_EXEC_DENIED; TsbuildError for everything else
 */
export async function startImage(options: RunOptions): Promise<RunningImage> {
  checkOptions("startImage", options, runTable);
  const streaming = usesStreams(options);
  requireRoot("run");
  await using stack = new AsyncDisposableStack();
  const signal = options.signal ?? new AbortController().signal;
  const store = stack.use(await openStore({ root: options.root }));
  stack.use(onGroupMade((path) => store.noteOutside(path)));
  const { image, snapshot } = await prepareImage(store, options, signal);
  checkRunnable(options.image, image.config.value);
  const active = stack.use(store.snapshots.prepare(snapshot));
  const hostname = options.hostname ?? randomBytes(6).toString("hex");
  const environment = prepareRunEnvironment(store.scratch, {
    hostname,
    env: {},
    hosts: options.addHosts ?? [],
    network: options.network,
    writable: true,
  });
  const spec = containerSpec({ options, image, snapshot, active, environment, hostname });
  const streams = streaming ? stack.use(new StreamPipes(options)) : undefined;
  signal.throwIfAborted();
  options.onStart?.();
  const container = stack.use(await started(spec, streams?.stdio ?? stdioOf(options), signal));
  streams?.started();
  store.keepOnly([
    targetOf(image).digest,
    image.manifest.descriptor.digest,
    imageID(image),
    ...(snapshot === undefined ? [] : [snapshot.id]),
  ]);
  const resources = stack.move();
  resources.use(beforeEnd(async () => await resources.disposeAsync()));
  const exit = ended(container, streams);
  exit.catch(() => undefined); // who asks for it is told
  return {
    container,
    exitCode: exit,
    [Symbol.asyncDispose]: async () => await resources.disposeAsync(),
  };
}

function stdioOf({ interactive, stdio }: RunOptions): Stdio {
  const { stdin, stdout, stderr } = stdio ?? { stdin: 0, stdout: 1, stderr: 2 };
  return { stdin: interactive === true ? stdin : "null", stdout, stderr };
}

/** @throws E_ARGUMENT */
function usesStreams({ stdin, stdout, stderr, stdio, tty }: RunOptions): boolean {
  if (stdin === undefined && stdout === undefined && stderr === undefined) return false;
  const other = stdio !== undefined ? "stdio" : tty === true ? "tty" : undefined;
  if (other === undefined) return true;
  throw new TsbuildError(`Cannot run: streams do not go with the option ${other}`, {
    code: "E_ARGUMENT",
    hint: "leave one of them out",
  });
}

async function ended(container: Container, streams: StreamPipes | undefined): Promise<number> {
  const status = await container.exited;
  await streams?.drained();
  return exitCode(status);
}

async function started(spec: ContainerSpec, stdio: Stdio, signal: AbortSignal): Promise<Container> {
  try {
    return await startContainer(spec, stdio, { signal });
  } catch (error) {
    throw explainStart(error, spec);
  }
}

/**
 * Runs a container of an image, pulled when it is not there, to its end; resolves with what `tsbuild run` exits with.
 * @throws RunError, which has docker's exit code for a container that did not run; the signal's reason
 */
export async function run(options: RunOptions): Promise<{ readonly exitCode: number }> {
  try {
    checkOptions("run", options, runTable);
    await using running = await startImage(options);
    return { exitCode: await running.exitCode };
  } catch (error) {
    if (error instanceof StartError && error.code === "E_EXEC_NOT_FOUND")
      throw new RunError(error, runExitCodes.notFound);
    if (error instanceof StartError && error.code === "E_EXEC_DENIED") throw new RunError(error, runExitCodes.denied);
    if (error instanceof TsbuildError) throw new RunError(error, runExitCodes.engine);
    throw error;
  }
}

/** A container that did not run; `exitCode` is docker's for it. */
export class RunError extends TsbuildError {
  override readonly name: string = "RunError";
  readonly exitCode: number;

  constructor(error: TsbuildError, code: number) {
    super(error.message, {
      code: error.code,
      cause: error,
      notes: error.notes,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
    this.exitCode = code;
  }
}

function containerSpec(parts: {
  readonly options: RunOptions;
  readonly image: NamedImage;
  readonly snapshot: Snapshot | undefined;
  readonly active: ActiveSnapshot;
  readonly environment: RunEnvironment;
  readonly hostname: string;
}): ContainerSpec {
  const { options, image, snapshot, active, environment, hostname } = parts;
  const config = image.config.value.config ?? {};
  const user = resolveUser(options.user ?? config.User ?? "", userFiles(snapshot));
  const lower = withStubs(lowerDirs(snapshot), environment.stubs);
  return {
    id: `run-${randomBytes(8).toString("hex")}`,
    root: { kind: "overlay", layers: { lower, upper: active.upper, work: active.work }, volatile: true },
    resolvConf: environment.resolvConf,
    mounts: [
      ...environment.mounts,
      ...(options.volumes ?? []).map(volumeMount),
      ...(options.tmpfs ?? []).map(tmpfsMount),
    ],
    hostname,
    args: commandOf(options, image),
    env: environmentOf(options, config.Env ?? [], { user, hostname }),
    cwd: options.workdir ?? (config.WorkingDir === undefined || config.WorkingDir === "" ? "/" : config.WorkingDir),
    user,
    network: options.network === "none" || options.network === "host" ? options.network : environment.network,
    resources: resourceLimits(options),
    init: options.init ?? false,
    visibleGroups: true,
    ...limitSpec(options),
    ...(environment.hosts === undefined ? {} : { hosts: environment.hosts, hostsWritable: true }),
    ...(options.cgroupParent === undefined ? {} : { cgroupParent: options.cgroupParent }),
    ...(options.capAdd === undefined && options.capDrop === undefined ? {} : { capabilities: capabilitiesOf(options) }),
    ...(options.tty === true ? { terminal: terminalSize() } : {}),
  };
}

function resourceLimits({ resources = {}, memory, cpus, init = false }: RunOptions): ResourceLimits {
  const { pids } = resources;
  return {
    ...resources,
    ...(pids === undefined || !init ? {} : { pids: pids + 1 }), // PID 1 is ours
    ...(memory === undefined ? {} : { memory }),
    ...(cpus === undefined
      ? {}
      : { cpuPeriod: 100_000, cpuQuota: Math.round(Math.min(cpus, availableParallelism() * 4) * 100_000) }),
  };
}

/** Given words replace CMD, a given entrypoint replaces both. @throws E_NO_COMMAND */
function commandOf(options: RunOptions, image: NamedImage): readonly string[] {
  const config = image.config.value.config ?? {};
  const given = options.command ?? [];
  const entrypoint = options.entrypoint ?? config.Entrypoint ?? [];
  const inherited = options.entrypoint === undefined ? (config.Cmd ?? []) : [];
  const args = [...entrypoint, ...(given.length > 0 ? given : inherited)];
  if (args.length > 0) return args;
  throw new TsbuildError(`Cannot run ${image.name}: it has no command`, {
    code: "E_NO_COMMAND",
    hint: `name one: tsbuild run ${options.image} /bin/sh`,
  });
}

function environmentOf(
  options: RunOptions,
  own: readonly string[],
  known: { readonly user: ResolvedUser; readonly hostname: string },
): readonly string[] {
  const env = new Map([
    ["PATH", defaultPath],
    ["HOSTNAME", known.hostname],
  ]);
  if (options.tty === true) env.set("TERM", "xterm");
  for (const entry of [...own, ...(options.env ?? [])]) {
    const { key, value } = splitEnv(entry);
    env.set(key, value);
  }
  if (!env.has("HOME")) env.set("HOME", known.user.home);
  return [...env].map(([key, value]) => `${key}=${value}`);
}

/** `source:target[:ro|rw]`. @throws E_VOLUME_INVALID */
function volumeMount(text: string): BindMount {
  const [source = "", target = "", mode = "rw", more] = text.split(":");
  if (
    more !== undefined ||
    !isAbsolute(source) ||
    !posix.isAbsolute(target) ||
    target === "/" ||
    !["ro", "rw"].includes(mode)
  ) {
    throw new TsbuildError(`Cannot mount ${JSON.stringify(text)}: it is not /source:/target[:ro|rw]`, {
      code: "E_VOLUME_INVALID",
      hint: "give absolute paths: -v /host/dir:/dir:ro",
    });
  }
  if (!existsSync(source)) {
    throw new TsbuildError(`Cannot mount ${source}: it does not exist`, {
      code: "E_VOLUME_INVALID",
      hint: `make it first: mkdir -p ${source}`,
    });
  }
  return { kind: "bind", source, target, attributes: mode === "ro" ? ["ro"] : [], recursive: true };
}

/** `/target[:options]` as docker's --tmpfs: not for programs unless it says `exec`. @throws E_VOLUME_INVALID */
function tmpfsMount(text: string): Mount {
  const [target = "", words = "", more] = text.split(":");
  if (more !== undefined || !posix.isAbsolute(target) || posix.normalize(target) === "/") {
    throw new TsbuildError(`Cannot mount a tmpfs on ${JSON.stringify(text)}: it is not /target[:options]`, {
      code: "E_VOLUME_INVALID",
      hint: "give an absolute path: --tmpfs /run:size=64m",
    });
  }
  const given = words.split(",").filter((word) => word !== "");
  const locked = ["noexec", "nosuid", "nodev"].filter((word) => !given.includes(word.slice(2)));
  return mountOfWords({ type: "tmpfs", source: "tmpfs", target, options: [...locked, ...given] });
}

/** Docker's 14, without those dropped, with those added; ALL is what there is. @throws E_CAPABILITY_UNKNOWN by the container's start */
function capabilitiesOf({ capAdd = [], capDrop = [] }: RunOptions): readonly string[] {
  const named = (words: readonly string[]): readonly string[] =>
    words.map((word) => word.toUpperCase()).map((word) => (word.startsWith("CAP_") ? word : `CAP_${word}`));
  const [add, drop] = [named(capAdd), named(capDrop)];
  const all = (names: readonly string[]): boolean => names.includes("CAP_ALL");
  const base = all(add) ? availableCapabilities() : all(drop) ? [] : defaultCapabilities;
  const kept = all(drop)
    ? base.filter((name) => all(add) && add.includes(name))
    : base.filter((name) => !drop.includes(name));
  return [...new Set([...kept, ...add.filter((name) => name !== "CAP_ALL")])];
}

function terminalSize(): { readonly columns: number; readonly rows: number } {
  return { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 };
}
