import type { NetworkOption } from "../ops/container/network-option.ts";
import type { HostAddress } from "../ops/container/host-address.ts";
import type { PullPolicy } from "../inputs/source/image/pull-policy.ts";
import type { Entitlement } from "../graph/entitlement.ts";
import type { RegistryOptions } from "../../registry/index.ts";
import type { Ulimit } from "../base/ulimit.ts";
import type { ProgressSink } from "../graph/events.ts";
import type { OwnChecks } from "../lint/own.ts";
import type { DebugOptions } from "../ops/shell/debug.ts";
import type { RunStreams } from "./run-streams.ts";
import type { SecretProvider } from "../inputs/secrets/secrets.ts";
import type { SshAgentOptions } from "../inputs/ssh/agents.ts";

export type { RegistryOptions };

/** Where an engine call works and whom it may ask. Every field has a default; all values are resolved (no env here). */
export interface EngineOptions {
  /** The store's directory. Default: /var/lib/tsbuild for root, $XDG_DATA_HOME/tsbuild otherwise (cli/config.ts). */
  readonly root: string;
  readonly registry?: RegistryOptions;
  readonly signal?: AbortSignal;
  /** Files of images become root's, whatever their layers say: for user namespaces that have one number only. */
  readonly squashOwners?: boolean;
}

/** One `--output`. `dest` "-" is stdout (a writable given as `stdout`). @see features O1-O8 */
export type OutputSpec =
  | { readonly type: "image"; readonly names?: readonly string[]; readonly push?: boolean }
  | {
      readonly type: "oci" | "docker";
      readonly dest: string;
      readonly tar: boolean;
      readonly names?: readonly string[];
    }
  | {
      readonly type: "local";
      readonly dest: string;
      /** "delete" removes what else is in the directory. Default: "copy". */
      readonly mode?: "copy" | "delete";
      /** Files go to a directory below, named for the platform: `linux_amd64`. */
      readonly platformSplit?: boolean;
    }
  | { readonly type: "tar"; readonly dest: string }
  | { readonly type: "cacheonly" };

/** What a Dockerfile may have only when it is allowed. `device=vendor.com/class=name[,alias=NAME]` is one device. */
/** Limits of a control group; bytes, microseconds, and lists such as `0-2,4`. memorySwap -1: no limit. */
export interface ResourceOptions {
  readonly memory?: number;
  readonly memorySwap?: number;
  readonly cpuShares?: number;
  readonly cpuPeriod?: number;
  readonly cpuQuota?: number;
  readonly cpusetCpus?: string;
  readonly cpusetMems?: string;
  readonly pids?: number;
}

/** What `tsbuild build` does. */
export interface BuildOptions extends EngineOptions {
  /** A directory; a URL of, or for "-" from `stdin`: an archive or a Dockerfile alone. */
  readonly context: string;
  /**
   * Path of the Dockerfile, for an archive inside of it (with a URL an absolute one is the host's); its http or https
   * URL; "-": from `stdin`. Default: Dockerfile, dockerfile or Containerfile in the context.
   */
  readonly dockerfile?: string;
  /** What "-" reads. */
  readonly stdin?: AsyncIterable<Uint8Array>;
  readonly target?: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly tags?: readonly string[];
  /** true: every step; names: the steps of these stages. */
  readonly noCache?: boolean | readonly string[];
  readonly pull?: PullPolicy;
  /**
   * What stands for the names of images and stages (`NAME` or `NAME::os/arch`): a directory, an http or https
   * URL, `docker-image://NAME`, `oci-layout://DIR[:TAG][@DIGEST]`, `target:STAGE`, or "-": an archive from `stdin`.
   */
  readonly contexts?: Readonly<Record<string, string>>;
  /** `os/arch[/variant]`; default: the machine's. */
  readonly platform?: string;
  readonly network?: NetworkOption;
  readonly outputs?: readonly OutputSpec[];
  /** Seconds since the epoch: clamps mtimes of new layers and sets created times. */
  readonly sourceDateEpoch?: number;
  /**
   * The host's proxy variables (predefined ARGs) and those that name its CA bundle (SSL_CERT_FILE ...): they reach RUN,
   * and never keys or history.
   */
  readonly hostEnv?: Readonly<Record<string, string>>;
  /** What steps may ask for beside what every step has. */
  readonly allow?: readonly Entitlement[];
  /** Where the specifications of RUN --device are. Default: /etc/cdi, /var/run/cdi and /etc/buildkit/cdi. */
  readonly cdiDirectories?: readonly string[];
  /** Lines of /etc/hosts of every RUN. */
  readonly addHosts?: readonly HostAddress[];
  readonly ulimits?: readonly Ulimit[];
  /** Bytes of /dev/shm of every RUN; default 64 MiB. */
  readonly shmSize?: number;
  /** Limits of every RUN; not part of what a step is. */
  readonly resources?: ResourceOptions;
  /** The control group that those of every RUN are made in: a path below the top of the hierarchies; in no key. */
  readonly cgroupParent?: string;
  /** Secrets of RUN --mount=type=secret by their ids: asked for when a step needs them, kept in memory alone. */
  readonly secrets?: Readonly<Record<string, SecretProvider>>;
  /** Agents of RUN --mount=type=ssh by their ids: keys are listed and used through a socket, and never seen. */
  readonly ssh?: Readonly<Record<string, SshAgentOptions>>;
  /** One layer in place of those that the build makes ("new"), the target's stage makes ("stage"), or all ("all"). */
  readonly squash?: "new" | "stage" | "all";
  /** Steps at once, 0: any number; default: twice the processors. */
  readonly maxParallelism?: number;
  /** How old a cached result may be: `12h`, `7d`, `never`. A `# cache=` comment above an instruction wins over it. */
  readonly cacheTtl?: string;
  /** tsbuild's own checks: false: none; true: also in a build; "error": what they find is an error. Else in check() alone. */
  readonly ownChecks?: OwnChecks;
  /** Opens a shell in a step. */
  readonly debug?: DebugOptions;
  readonly stdout?: NodeJS.WritableStream;
  readonly onEvent?: ProgressSink;
}

/** What `tsbuild run` does. Standard streams are the caller's descriptors 0, 1 and 2, or what is given, without a `tty`. */
export interface RunOptions extends EngineOptions, RunStreams {
  /** Called when all is prepared, right before the program starts: from there on signals are the program's. */
  readonly onStart?: () => void;
  readonly image: string;
  readonly command?: readonly string[];
  readonly pull?: PullPolicy;
  readonly platform?: string;
  readonly interactive?: boolean;
  readonly tty?: boolean;
  readonly env?: readonly string[];
  readonly workdir?: string;
  readonly user?: string;
  /** [] clears the image's entrypoint. */
  readonly entrypoint?: readonly string[];
  /** `src:dst[:ro|rw]`; src absolute. */
  readonly volumes?: readonly string[];
  readonly network?: NetworkOption;
  /** Bytes. */
  readonly memory?: number;
  readonly cpus?: number;
  /** Limits beside those two. */
  readonly resources?: ResourceOptions;
  /** The control group that the container's own are made in: a path below the top of the hierarchies. */
  readonly cgroupParent?: string;
  readonly hostname?: string;
  /** PID 1 is an init that forwards signals and reaps; default: the command is PID 1. */
  readonly init?: boolean;
  readonly addHosts?: readonly HostAddress[];
  readonly ulimits?: readonly Ulimit[];
  /** Bytes of /dev/shm; default 64 MiB. */
  readonly shmSize?: number;
  /** `/target[:options]`, options those of tmpfs: `size=64m,mode=1777,ro`. */
  readonly tmpfs?: readonly string[];
  /** Names with or without CAP_, or ALL. */
  readonly capAdd?: readonly string[];
  readonly capDrop?: readonly string[];
  readonly onEvent?: ProgressSink;
  /** Descriptors whose bytes the command reads and writes, through pipes. Default: the process's own 0, 1, 2. */
  readonly stdio?: { readonly stdin: number; readonly stdout: number; readonly stderr: number };
}
