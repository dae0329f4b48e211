import { randomBytes } from "node:crypto";
import {
  startContainer,
  type Attachments,
  type ContainerSpec,
  type ExitStatus,
  type Mount,
  type ResourceLimits,
} from "../../runtime/index.ts";
import { digestOf } from "../../store/oci/digest.ts";
import { lowerDirs, type ActiveSnapshot, type Snapshot } from "../../store/snapshot/snapshotter.ts";
import { getEnv, setEnv, splitEnv } from "../base/env.ts";
import type { RunLimits, RunOp } from "../graph/opspec.ts";
import type { Vertex } from "../graph/vertex.ts";
import type { ShellOpener } from "./shell/debug.ts";
import type { StoppedStep } from "./shell/open.ts";
import type { Op, OpContext } from "../solve/op.ts";
import type { SolvedStep } from "../solve/step.ts";
import { commitLayer } from "./layer.ts";
import { LogPipes } from "./log-pipes.ts";
import { mountContent, mountInputs, mountKeys } from "./mounts/key.ts";
import { prepareMounts } from "./mounts/prepare.ts";
import type { EmptiedCaches } from "./mounts/resources.ts";
import type { DeviceAccess } from "../inputs/cdi/access.ts";
import type { Secrets } from "../inputs/secrets/secrets.ts";
import type { SshSource } from "../inputs/ssh/agents.ts";
import { withStubs, type RunEnvironment } from "./container/run-environment.ts";
import { limitSpec } from "./container/run-limits.ts";
import { scriptInput, scriptMount } from "./container/run-script.ts";
import { notStarted, runFailed } from "./run-failure.ts";
import { userFiles } from "./container/user-files.ts";
import { resolveUser, type ResolvedUser } from "./container/user.ts";
import { now } from "../../native/clock.ts";

/** What RUN gets of the host beside the step itself. */
export interface RunSettings {
  /** Made when the first step runs: a cached build makes no files. */
  readonly environment: () => RunEnvironment;
  readonly epoch: number | undefined;
  readonly shells: ShellOpener | undefined;
  /** The Dockerfile's text, for error frames. */
  readonly source: string;
  readonly secrets: Secrets;
  readonly ssh: SshSource | undefined;
  readonly emptiedCaches: EmptiedCaches;
  readonly devices: Pick<DeviceAccess, "setup">;
  readonly resources: ResourceLimits;
  readonly cgroupParent: string | undefined;
}

/** RUN: the command in a container over the stage's file system. */
export function runOp(op: RunOp, settings: RunSettings): Op {
  return {
    recorded: true,
    async key(vertex, inputs) {
      const [base = "", ...sources] = inputs;
      return {
        key: digestOf(JSON.stringify([op, base, ...sources])),
        inputs: () => ({ ...namedInputs(op, vertex, base), ...mountKeys(op, sources) }),
      };
    },
    async contentKey(vertex, inputs) {
      const base = inputs[0]?.key ?? "";
      const content = mountContent(op, vertex, inputs);
      if (content === undefined) return undefined;
      return {
        key: digestOf(JSON.stringify([op, base, content.parts])),
        inputs: () => ({ ...namedInputs(op, vertex, base), ...content.inputs() }),
      };
    },
    exec: async (vertex, inputs, context) => await execRun({ op, settings, vertex, inputs, context }),
  };
}

function namedInputs(op: RunOp, vertex: Vertex, base: string): Readonly<Record<string, string>> {
  const { args, cwd, user, network, env } = op;
  return {
    base,
    command: args.join(" "),
    ...scriptInput(op),
    ...mountInputs(op),
    ...(op.security === undefined ? {} : { "--security": op.security }),
    ...(op.devices === undefined ? {} : { "--device": op.devices.join(" ") }),
    ...limitInputs(op.limits ?? {}),
    cwd,
    user,
    network,
    ...namedVariables(env, vertex.argNames),
  };
}

/** As the flags have them. */
function limitInputs({ hosts, ulimits, shmSize }: RunLimits): Readonly<Record<string, string>> {
  return {
    ...(hosts === undefined ? {} : { "--add-host": hosts.join(" ") }),
    ...(ulimits === undefined
      ? {}
      : { "--ulimit": ulimits.map(({ name, soft, hard }) => `${name}=${soft}:${hard}`).join(" ") }),
    ...(shmSize === undefined ? {} : { "--shm-size": String(shmSize) }),
  };
}

/** `ARG NAME` or `ENV NAME` -> value. */
function namedVariables(env: readonly string[], argNames: readonly string[]): Readonly<Record<string, string>> {
  const args = new Set(argNames);
  return Object.fromEntries(
    env.map((entry) => {
      const [name = ""] = entry.split("=", 1);
      return [`${args.has(name) ? "ARG" : "ENV"} ${name}`, entry.slice(name.length + 1)];
    }),
  );
}

interface Run {
  readonly op: RunOp;
  readonly settings: RunSettings;
  readonly vertex: Vertex;
  readonly inputs: readonly SolvedStep[];
  readonly context: OpContext;
}

async function execRun(run: Run): Promise<{ snapshot: Snapshot | undefined; identity: SolvedStep["identity"] }> {
  const { op, settings, vertex, inputs, context } = run;
  const [base] = inputs;
  const user = resolveUser(op.user, userFiles(base?.snapshot));
  await using active = context.store.snapshots.prepare(base?.snapshot);
  using script = scriptMount(op, context.store.scratch);
  const { secrets, ssh, shells } = settings;
  // A shell never comes from the cache either, but is there to see what the step left.
  const anew = vertex.ignoreCache && shells?.replaces(vertex.digest) !== true;
  const emptied = anew ? settings.emptiedCaches : undefined;
  await using prepared = await prepareMounts({ mounts: op.mounts ?? [], inputs, secrets, ssh, context, emptied });
  await using logs = new LogPipes({ digest: vertex.digest, emit: context.emit, mask: secrets.mask });
  const devices = settings.devices.setup(op.devices ?? [], user);
  const mounts = [...devices.mounts, ...script.mounts, ...prepared.mounts];
  const { attachments } = prepared;
  const additionalGids = [...new Set([...user.additionalGids, ...devices.additionalGids])];
  const env = [...prepared.env, ...devices.env].reduce(withEntry, []);
  const spec = containerSpec(run, active, { user: { ...user, additionalGids }, mounts, env });
  await shells?.before(vertex.digest, { spec, attachments, active });
  const failure = await runStep(run, { spec, attachments, logs, active });
  if (failure !== undefined) {
    await shells?.failed(vertex.name, { spec, attachments, active }, failure);
    throw failure;
  }
  return await commitLayer(active, base, { ...context, epoch: settings.epoch });
}

function withEntry(env: readonly string[], entry: string): readonly string[] {
  const { key, value } = splitEnv(entry);
  return setEnv(env, key, value);
}

/** How the command failed; undefined when it ended with 0. */
async function runStep(run: Run, step: StoppedStep & { readonly logs: LogPipes }): Promise<Error | undefined> {
  const { logs, active } = step;
  const failing = { ...run, source: run.settings.source, active };
  let status: ExitStatus;
  try {
    status = await runContainer(run, step);
  } catch (error) {
    const failed = notStarted(failing, error);
    if (failed === undefined) throw error;
    return failed;
  }
  await logs.drained();
  return status.kind !== "exited" || status.code !== 0 ? runFailed(failing, status, logs.tail()) : undefined;
}

async function runContainer(
  run: Run,
  {
    spec,
    attachments,
    logs,
  }: { readonly spec: ContainerSpec; readonly attachments: Attachments; readonly logs: LogPipes },
): Promise<ExitStatus> {
  const { signal, emit } = run.context;
  const stdio = { stdin: "null", stdout: logs.stdout, stderr: logs.stderr, own: true } as const;
  await using container = await startContainer(spec, stdio, { signal, attachments });
  logs.closeWriters();
  const { mode, fallback } = container.network;
  emit({ kind: "network", digest: run.vertex.digest, time: now(), mode, ...fallback });
  const status = await container.exited;
  signal.throwIfAborted();
  return status;
}

function containerSpec(
  run: Run,
  active: ActiveSnapshot,
  extra: { readonly user: ResolvedUser; readonly mounts: readonly Mount[]; readonly env: readonly string[] },
): ContainerSpec {
  const { op, settings } = run;
  const { user, mounts } = extra;
  const environment = settings.environment();
  const lower = withStubs(lowerDirs(active.parent), environment.stubs);
  return {
    id: `build-${randomBytes(8).toString("hex")}`,
    root: { kind: "overlay", layers: { lower, upper: active.upper, work: active.work }, volatile: true },
    resolvConf: environment.resolvConf,
    mounts: [...environment.mounts, ...mounts],
    hostname: op.hostname ?? "buildkitsandbox",
    args: op.args,
    env: variablesOf(op, environment, extra),
    cwd: op.cwd,
    user,
    network: op.network === "default" ? environment.network : op.network,
    services: environment.services,
    ...(environment.hosts === undefined ? {} : { hosts: environment.hosts }),
    ...(settings.cgroupParent === undefined ? {} : { cgroupParent: settings.cgroupParent }),
    resources: settings.resources,
    ...(op.security === "insecure" ? { privileged: true } : {}),
    ...limitSpec(op.limits ?? {}),
  };
}

/** What was given for this build wins over the image's; what the host lends is there where nobody says anything. */
function variablesOf(
  op: RunOp,
  environment: RunEnvironment,
  extra: { readonly user: ResolvedUser; readonly env: readonly string[] },
): readonly string[] {
  const home = getEnv(op.env, "HOME") === undefined ? [`HOME=${extra.user.home}`] : [];
  const own = [...environment.given, ...extra.env];
  const given = op.env.filter((entry) => getEnv(own, splitEnv(entry).key) === undefined);
  const lent = environment.variables.filter((entry) => getEnv([...op.env, ...own], splitEnv(entry).key) === undefined);
  return [...given, ...home, ...lent, ...own];
}
