import type { ResourceLimits } from "./limits.ts";
import type { BindMount, Mount, RootFileSystem } from "./mount.ts";
import type { HostEntry, NetworkRequest } from "./network.ts";

/** The user of a process by number: names were resolved in the rootfs before. */
export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
}

/**
 * What to run and in what. Plain data that JSON can hold: computed by the caller, applied by startContainer(), which gets
 * beside it what data cannot be (Attachments).
 * Names are those of the OCI runtime-spec where it has one.
 */
export interface ContainerSpec {
  /** Unique on the machine while it runs; names the cgroup. [a-z0-9-]{1,64} */
  readonly id: string;
  readonly root: RootFileSystem;
  readonly readonlyRoot?: boolean;
  /** On top of the default ones (proc, dev, devpts, shm, mqueue, sysfs, cgroup), in this order. */
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
  readonly resolvConf?: BindMount;
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
