import type { Mount } from "../../native/mount.ts";
import type { HostEntry } from "../network/hosts.ts";
import type { Obstacle } from "../network/obstacle.ts";

/** How a container's first process ended: `code` 0-255, or the number of the signal that killed it. */
export type ExitStatus =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "signaled"; readonly signal: number };

/** The number a shell would give: the code, or 128 + signal. */
export function exitCode(status: ExitStatus): number {
  return status.kind === "exited" ? status.code : 128 + status.signal;
}

/** Limits of a container's cgroup; undefined = inherited. Bytes, microseconds, counts. */
export interface ResourceLimits {
  readonly memory?: number;
  /** Memory plus swap; -1 = no limit. */
  readonly memorySwap?: number;
  readonly cpuQuota?: number;
  readonly cpuPeriod?: number;
  readonly cpuShares?: number;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  readonly pids?: number;
}

/** The user of a process by number: names were resolved in the rootfs before. */
export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
}

/** "host": the caller's network namespace; "none": a new one with lo only; "own": a new one with a way out. */
export type NetworkMode = "host" | "none" | "own";
/** "own-or-host": the host's where one of its own cannot be made, without what is dangerous there (`atHost`). */
export type NetworkRequest = NetworkMode | "own-or-host";

/**
 * What to run and in what. A plain value: computed by the caller, applied by startContainer().
 * Names are those of the OCI runtime-spec where it has one.
 */
export interface ContainerSpec {
  /** Unique on the machine while it runs; names the cgroup. [a-z0-9-]{1,64} */
  readonly id: string;
  readonly root: Mount;
  readonly readonlyRoot?: boolean;
  /** On top of the default ones (proc, dev, devpts, shm, mqueue, sysfs, cgroup): bind, tmpfs. In this order. */
  readonly mounts: readonly Mount[];
  readonly hostname: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: ProcessUser;
  /** Names such as CAP_CHOWN; the default is Docker's 14. */
  readonly capabilities?: readonly string[];
  readonly noNewPrivileges?: boolean;
  /** "default": Docker's profile for `capabilities`; "unconfined": none. */
  readonly seccomp?: "default" | "unconfined";
  /** Every capability that we have, no seccomp, nothing masked or read-only, any device. */
  readonly privileged?: boolean;
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
  readonly network: NetworkRequest;
  /** URLs that it must reach, such as proxies, also on the host's loopback interface. */
  readonly services?: readonly string[];
  readonly rlimits?: readonly { readonly type: string; readonly soft: number; readonly hard: number }[];
  readonly resources?: ResourceLimits;
  /** The control group that the container's own are made in: a path below the top of every hierarchy. */
  readonly cgroupParent?: string;
  /**
   * It has control groups of its own in every hierarchy of v1 and sees them in /sys/fs/cgroup; default: only where it has
   * limits. Those of v2 it always sees.
   */
  readonly visibleGroups?: boolean;
  /** How /etc/resolv.conf is bound, below all others; a network that cannot ask the host's servers has its own file there. */
  readonly resolvConf?: Mount;
  /** A file /etc/hosts with these entries, some of them `host-gateway`; default: none is made. */
  readonly hosts?: readonly HostEntry[];
  /** Whether the program may change that file. */
  readonly hostsWritable?: boolean;
  /** Bytes of /dev/shm; default 64 MiB. */
  readonly shmSize?: number;
  readonly terminal?: { readonly columns: number; readonly rows: number };
  /** PID 1 is an init that forwards signals to the program and reaps; default: the program itself is PID 1. */
  readonly init?: boolean;
}

/** The network of a container. */
export interface GivenNetwork {
  readonly mode: NetworkMode;
  /** Why it has the host's, where that is not what was asked for, and what helps. */
  readonly fallback: Obstacle | undefined;
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
