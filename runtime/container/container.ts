import type { GivenNetwork } from "../spec/network.ts";

/** How a container's first process ended: `code` 0-255, or the number of the signal that killed it. */
export type ExitStatus =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "signaled"; readonly signal: number };

/** The number a shell would give: the code, or 128 + signal. */
export function exitCode(status: ExitStatus): number {
  return status.kind === "exited" ? status.code : 128 + status.signal;
}

/**
 * File descriptors of the caller for what the process reads from 0 and writes to 1 and 2; ignored when `terminal` is set.
 * The process gets pipes, and what goes through them is carried on.
 */
export interface Stdio {
  readonly stdin: number | "null";
  readonly stdout: number;
  readonly stderr: number;
  /** They are pipes made for this container: handed over as they are. */
  readonly own?: boolean;
}

/** A running container. Dispose kills all its processes, waits, and removes its cgroup and namespaces. */
export interface Container extends AsyncDisposable {
  /** Pid of the container's first process as the host sees it. */
  readonly pid: number;
  /** Resolves once every process is gone and nothing is left. @throws E_RUNTIME_SETUP when it could not start */
  readonly exited: Promise<ExitStatus>;
  /** The network it really has; with the reason when it is the host's for want of one of its own. */
  readonly network: GivenNetwork;
  /**
   * To the program, by its init if it has one. Without one it is PID 1: of what it has no handler for, SIGKILL and SIGSTOP
   * alone have an effect. @see pid_namespaces(7). No effect after the end. `signal`: 15, "SIGTERM" or "TERM".
   * @throws E_SIGNAL_INVALID
   */
  kill(signal: number | string): void;
  /** The terminal's master side; undefined without `terminal`. */
  readonly terminal: number | undefined;
  resize(columns: number, rows: number): void;
  /** True when the kernel killed one of its processes for its memory limit. */
  oomKilled(): boolean;
}
