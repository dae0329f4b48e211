import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startInit, type InitProcess } from "../../native/process.ts";
import { openCgroup, type Cgroup } from "../cgroup/cgroup.ts";
import { grantedCapabilities, planContainer } from "../rootfs/plan.ts";
import { seccompProgram } from "../security/seccomp.ts";
import { openTerminal, type Terminal } from "./terminal.ts";
import type { Container, ContainerSpec, ExitStatus, Stdio } from "./process.ts";
import { openSync, closeSync } from "node:fs";

const SIGKILL = 9;

let stagingDirectory: string | undefined;

/** One empty directory for all containers of this process: each attaches its root there in its own namespace. */
function staging(): string {
  if (stagingDirectory === undefined) {
    const made = mkdtempSync(join(tmpdir(), "tsbuild-root-"));
    process.once("exit", () => rmdirSync(made));
    stagingDirectory = made;
  }
  return stagingDirectory;
}

/**
 * Starts a container; resolves when its program runs. Abort of the signal kills it and all its processes.
 * @throws StartError E_RUNTIME_SETUP, E_EXEC_NOT_FOUND, E_EXEC_DENIED; E_CGROUP_LIMIT; E_NATIVE_MISSING
 */
export async function startContainer(
  spec: ContainerSpec,
  stdio: Stdio,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Container> {
  options.signal?.throwIfAborted();
  await using stack = new AsyncDisposableStack();
  const cgroup = stack.use(openCgroup(spec.id, spec.resources ?? {}));
  const terminal = spec.terminal === undefined ? undefined : stack.use(openTerminal(spec.terminal));
  const plan = planContainer(spec, {
    staging: staging(),
    cgroupProcs: cgroup.procs,
    cgroup: cgroup.into,
    nodev: cgroup.nodev,
    seccomp: spec.seccomp === "unconfined" ? new Uint8Array() : seccompProgram(grantedCapabilities(spec, cgroup.nodev)),
    hostNetwork: spec.network === "host",
    cgroup2: cgroup.unified,
  });
  const init = await startInit(
    plan,
    terminal === undefined ? descriptors(stdio, stack) : [terminal.slave, terminal.slave, terminal.slave],
  );
  terminal?.closeSlave();
  const running = new RunningContainer({ init, cgroup, terminal, resources: stack.move(), signal: options.signal });
  return running;
}

function descriptors(stdio: Stdio, stack: AsyncDisposableStack): [number, number, number] {
  if (stdio.stdin !== "null") return [stdio.stdin, stdio.stdout, stdio.stderr];
  const fd = openSync("/dev/null", "r");
  stack.defer(() => closeSync(fd));
  return [fd, stdio.stdout, stdio.stderr];
}

class RunningContainer implements Container {
  readonly pid: number;
  readonly exited: Promise<ExitStatus>;
  readonly #init: InitProcess;
  readonly #cgroup: Cgroup;
  readonly #terminal: Terminal | undefined;
  readonly #resources: AsyncDisposableStack;
  #ended = false;

  constructor(parts: {
    readonly init: InitProcess;
    readonly cgroup: Cgroup;
    readonly terminal: Terminal | undefined;
    readonly resources: AsyncDisposableStack;
    readonly signal: AbortSignal | undefined;
  }) {
    this.#init = parts.init;
    this.#cgroup = parts.cgroup;
    this.#terminal = parts.terminal;
    this.#resources = parts.resources;
    this.pid = parts.init.pid;
    this.exited = this.#watch(parts.signal);
    this.exited.catch(() => undefined);
  }

  get terminal(): number | undefined {
    return this.#terminal?.master;
  }

  kill(signal: number): void {
    if (!this.#ended) this.#init.kill(signal);
  }

  resize(columns: number, rows: number): void {
    this.#terminal?.resize(columns, rows);
  }

  oomKilled(): boolean {
    return this.#cgroup.oomKilled();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill(SIGKILL);
    await this.#init.ended;
    await this.#resources.disposeAsync();
  }

  async #watch(signal: AbortSignal | undefined): Promise<ExitStatus> {
    const onAbort = (): void => this.kill(SIGKILL);
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      return await this.#init.ended;
    } finally {
      this.#ended = true;
      signal?.removeEventListener("abort", onAbort);
    }
  }
}
