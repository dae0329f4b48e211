import { closeSync, openSync } from "node:fs";
import { beforeEnd } from "../../native/process-end.ts";
import { closeFd } from "../../native/syscall.ts";
import { inUserNamespace } from "../../native/user-namespace.ts";
import { startInit, type InitProcess } from "../../native/process.ts";
import { openUnixListener } from "../../native/unix-listener.ts";
import { openCgroup, type Cgroup, type CgroupOptions } from "../cgroup/cgroup.ts";
import { deviceRules } from "../rootfs/device-rules.ts";
import { hostsFile, withHostAddress } from "../network/hosts.ts";
import { openNetwork, type Network } from "../network/network.ts";
import { grantedCapabilities, planContainer } from "../rootfs/plan.ts";
import { defaultCapabilities } from "../security/capabilities.ts";
import { seccompProgram } from "../security/seccomp.ts";
import { removeStubs } from "../rootfs/stubs.ts";
import type { ContainerSpec } from "../spec/container-spec.ts";
import type { FileMount, MountAttribute } from "../spec/mount.ts";
import type { Attachments } from "./attachments.ts";
import { checkSpec } from "./check.ts";
import { carryStdio, type CarriedStdio } from "./stdio.ts";
import { signalNumber } from "./signal.ts";
import { resizeTerminal } from "./terminal.ts";
import type { Container, ExitStatus, Stdio } from "./container.ts";

const SIGKILL = 9;
const networkCapabilities: readonly string[] = ["CAP_NET_RAW", "CAP_NET_ADMIN"];

/**
 * Starts a container; resolves when its program runs. Abort of the signal kills it and all its processes.
 * @throws StartError E_RUNTIME_SETUP, E_EXEC_NOT_FOUND, E_EXEC_DENIED; E_CONTAINER_SPEC; E_MOUNT_OPTION;
 * E_CGROUP_LIMIT; E_NATIVE_MISSING; E_NO_OVERLAY
 */
export async function startContainer(
  given: ContainerSpec,
  stdio: Stdio,
  options: { readonly signal?: AbortSignal; readonly attachments?: Attachments } = {},
): Promise<Container> {
  const { signal, attachments = {} } = options;
  signal?.throwIfAborted();
  checkSpec(given, attachments);
  await using stack = new AsyncDisposableStack();
  const network = stack.use(await openNetwork(given.network, { services: given.services ?? [] }));
  const spec = atHost(withHosts(withResolvConf(given, network.resolvConf), network.host), network);
  const cgroup = stack.use(openCgroup(spec.id, spec.resources ?? {}, cgroupOptions(spec)));
  const sockets = spec.mounts.filter((mount) => mount.kind === "socket");
  const listeners = sockets.map((socket) => ({ socket, listener: stack.use(openUnixListener()) }));
  const plan = planContainer(spec, {
    files: attachments.files ?? new Map(),
    sockets: new Map(listeners.map(({ socket, listener }) => [socket, listener.fd])),
    cgroupProcs: cgroup.procs,
    cgroup: cgroup.into,
    nodev: cgroup.nodev,
    seccomp:
      spec.privileged === true || spec.seccomp === "unconfined"
        ? new Uint8Array()
        : seccompProgram(grantedCapabilities(spec, cgroup.nodev)),
    network: network.join,
    userxattr: inUserNamespace(),
    cgroup2: cgroup.unified,
    hierarchies: cgroup.hierarchies,
  });
  const carried = carry(spec, stdio, stack);
  const init = await startInit(plan, descriptors(spec, carried?.stdio ?? stdio, stack), signal);
  carried?.started();
  for (const { socket, listener } of listeners) {
    const connected = attachments.sockets?.get(socket.attachment);
    if (connected !== undefined) listener.accept(connected);
  }
  const { terminal } = init;
  if (terminal !== undefined) stack.defer(() => closeFd(terminal));
  const upper = spec.root.kind === "overlay" ? spec.root.layers.upper : undefined;
  const removeMade = (): void => (upper === undefined ? undefined : removeStubs(upper, init.stubs));
  return new RunningContainer({ init, cgroup, network, removeMade, carried, resources: stack.move(), signal });
}

function carry(spec: ContainerSpec, stdio: Stdio, stack: AsyncDisposableStack): CarriedStdio | undefined {
  if (spec.terminal !== undefined || stdio.own === true) return undefined;
  return stack.use(carryStdio(stdio));
}

/** What was meant for a network of its own is not given over the host's: to listen to it, or to change it. */
function atHost(spec: ContainerSpec, { fallback }: Network): ContainerSpec {
  if (fallback === undefined) return spec;
  const { capabilities = defaultCapabilities } = spec;
  return { ...spec, capabilities: capabilities.filter((name) => !networkCapabilities.includes(name)) };
}

/** Only now is it known which name servers can be asked. */
function withResolvConf(spec: ContainerSpec, text: string | undefined): ContainerSpec {
  const { resolvConf, mounts } = spec;
  if (resolvConf === undefined) return spec;
  const attributes = resolvConf.attributes.filter((attribute) => attribute === "ro");
  const own = text === undefined ? resolvConf : textFile(resolvConf.target, attributes, text);
  return { ...spec, mounts: [own, ...mounts] };
}

/** Only now is it known where the host is. */
function withHosts(spec: ContainerSpec, host: string | undefined): ContainerSpec {
  const { hosts, hostname, mounts, hostsWritable = false } = spec;
  if (hosts === undefined) return spec;
  const text = hostsFile(hostname, withHostAddress(hosts, host));
  return { ...spec, mounts: [textFile("/etc/hosts", hostsWritable ? [] : ["ro"], text), ...mounts] };
}

function textFile(target: string, attributes: readonly MountAttribute[], text: string): FileMount {
  return { kind: "file", target, attributes, mode: 0o644, uid: 0, gid: 0, content: { text } };
}

function cgroupOptions({ mounts, privileged, cgroupParent, visibleGroups }: ContainerSpec): CgroupOptions {
  return {
    visible: visibleGroups ?? false,
    devices: privileged === true ? "any" : deviceRules(mounts),
    ...(cgroupParent === undefined ? {} : { parent: cgroupParent }),
  };
}

/** With a terminal they are PID 1's only: the program's are the terminal. */
function descriptors(spec: ContainerSpec, stdio: Stdio, stack: AsyncDisposableStack): [number, number, number] {
  if (spec.terminal === undefined && stdio.stdin !== "null") return [stdio.stdin, stdio.stdout, stdio.stderr];
  const fd = openSync("/dev/null", "r+");
  stack.defer(() => closeSync(fd));
  return spec.terminal === undefined ? [fd, stdio.stdout, stdio.stderr] : [fd, fd, fd];
}

class RunningContainer implements Container {
  readonly pid: number;
  readonly exited: Promise<ExitStatus>;
  readonly network: Container["network"];
  readonly #init: InitProcess;
  readonly #cgroup: Cgroup;
  readonly #resources: AsyncDisposableStack;
  #ended = false;

  constructor(parts: {
    readonly init: InitProcess;
    readonly cgroup: Cgroup;
    readonly network: Network;
    readonly removeMade: () => void;
    readonly carried: CarriedStdio | undefined;
    readonly resources: AsyncDisposableStack;
    readonly signal: AbortSignal | undefined;
  }) {
    this.#init = parts.init;
    this.#cgroup = parts.cgroup;
    this.#resources = parts.resources;
    this.pid = parts.init.pid;
    this.network = { mode: parts.network.mode, fallback: parts.network.fallback };
    this.exited = this.#watch(parts);
    this.exited.catch(() => undefined);
    this.#resources.use(beforeEnd(async () => await this[Symbol.asyncDispose]()));
  }

  get terminal(): number | undefined {
    return this.#init.terminal;
  }

  kill(signal: number | string): void {
    const number = signalNumber(signal);
    if (!this.#ended) this.#init.kill(number);
  }

  resize(columns: number, rows: number): void {
    if (!this.#ended && this.terminal !== undefined) resizeTerminal(this.terminal, columns, rows);
  }

  oomKilled(): boolean {
    return this.#cgroup.oomKilled();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill(SIGKILL);
    await this.#init.ended;
    await this.#resources.disposeAsync();
  }

  async #watch({
    signal,
    removeMade,
    carried,
  }: {
    readonly signal: AbortSignal | undefined;
    readonly removeMade: () => void;
    readonly carried: CarriedStdio | undefined;
  }): Promise<ExitStatus> {
    const onAbort = (): void => {
      this.kill(SIGKILL);
      // Where nobody reads, what is left of its output would be waited for without an end.
      carried?.[Symbol.asyncDispose]().catch(() => undefined);
    };
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      const end = await this.#init.ended;
      this.#ended = true;
      removeMade();
      await carried?.drained();
      return end;
    } finally {
      this.#ended = true;
      signal?.removeEventListener("abort", onAbort);
    }
  }
}
