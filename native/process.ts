import { Socket } from "node:net";
import { TsbuildError } from "./errors.ts";
import { openFdSocket } from "./fd-socket.ts";
import { placeError } from "./overlay-place.ts";
import { decodePath, longPathHint } from "./pathname.ts";
import { encodePlan, socketsOf, type InitPlan } from "./plan.ts";
import { requestContainer } from "./spawner.ts";
import { call, closeFd, errnoByNumber, pipe, tryCall, writeFd } from "./syscall.ts";
import { waitFor } from "./wait.ts";

/** How the program ended. */
export type ProgramEnd =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "signaled"; readonly signal: number };

interface StartErrorOptions {
  readonly code: string;
  readonly step: string;
  readonly errno: string;
  readonly hint?: string;
  readonly notes?: readonly string[];
}

/** The program could not be started; `step` says what failed. Codes: E_RUNTIME_SETUP, E_EXEC_NOT_FOUND, E_EXEC_DENIED. */
export class StartError extends TsbuildError {
  override readonly name: string = "StartError";
  readonly step: string;
  readonly errno: string;

  constructor(message: string, options: StartErrorOptions) {
    super(message, options);
    this.step = options.step;
    this.errno = options.errno;
  }
}

/** A mount target that was missing and was made. */
export interface Stub {
  /** Inside the root, without symlinks. */
  readonly path: string;
  readonly type: "file" | "directory";
  /** Its directory's modification times before and after that, in ns. */
  readonly before: bigint;
  readonly after: bigint;
}

/** A container's processes. */
export interface InitProcess {
  /** PID 1, the program or its init, as this process sees it. */
  readonly pid: number;
  /** The terminal's master side, the caller's to close; undefined without one. */
  readonly terminal: number | undefined;
  /** Mount targets that were made, in this order. */
  readonly stubs: readonly Stub[];
  /** Resolves when no process of the container is left. */
  readonly ended: Promise<ProgramEnd>;
  kill(signal: number): void;
}

const steps: readonly string[] = [
  "",
  "read the plan",
  "join the control group",
  "create the namespaces",
  "make the mounts private",
  "mount the root file system",
  "mount",
  "make the device",
  "mask the path",
  "make read-only the path",
  "enter the root file system",
  "set the hostname",
  "raise the loopback interface",
  "fork",
  "take the terminal",
  "set the resource limit",
  "set the capabilities",
  "load the seccomp filter",
  "set the user",
  "enter the working directory",
  "execute",
  "join the network namespace",
];
const stepExec = steps.indexOf("execute");
const stepDirectory = steps.indexOf("enter the working directory");
const SIGKILL = 9;
const kinds = { pid: 1, started: 2, error: 3, exit: 4, stub: 5 } as const;

interface Report {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
  readonly text: string;
}

/**
 * Starts a container with these descriptors as 0, 1 and 2 and resolves when the program runs.
 * An abort until then kills what was started and waits for its end.
 * @throws StartError; the signal's reason
 */
export async function startInit(
  plan: InitPlan,
  stdio: readonly [number, number, number],
  signal?: AbortSignal,
): Promise<InitProcess> {
  using terminal = plan.terminal === undefined ? undefined : openFdSocket();
  using stack = new DisposableStack();
  const { reports, watched } = requestInit(plan, stdio, terminal?.theirs);
  stack.use(watched);
  terminal?.closeTheirs();
  const init = await reports.next(kinds.pid);
  if (init?.kind !== kinds.pid) {
    // PID 1 may have failed before anybody could say who it is.
    await reports.closed;
    for (const born of reports.all(kinds.pid)) await waitFor(born.a);
    throw rootError(startError(init), plan);
  }
  const onAbort = (): void => sendSignal(init.a, SIGKILL);
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const started = await reports.next(kinds.started);
    if (started?.kind !== kinds.started) {
      await reports.closed;
      await waitFor(init.a);
      signal?.throwIfAborted();
      throw rootError(startError(started), plan);
    }
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
  const held = stack.move();
  return {
    pid: init.a,
    terminal: terminal?.receive(),
    stubs: reports.all(kinds.stub).map(stubOf),
    ended: programEnd(reports, init.a).finally(() => held.dispose()),
    kill: (number) => sendSignal(init.a, number),
  };
}

function requestInit(
  plan: InitPlan,
  stdio: readonly [number, number, number],
  terminal: number | undefined,
): { readonly reports: ReportReader; readonly watched: Disposable } {
  const planFd = planFile(plan);
  try {
    const status = pipe();
    try {
      const given = terminal === undefined ? [] : [terminal];
      const watched = requestContainer(plan, [...stdio, planFd, status.write, ...given, ...socketsOf(plan)]);
      return { reports: new ReportReader(status.read), watched };
    } catch (error) {
      closeFd(status.read);
      throw error;
    } finally {
      closeFd(status.write);
    }
  } finally {
    closeFd(planFd);
  }
}

function stubOf({ a, text }: Report): Stub {
  const [before = "0", after = "0"] = text.split(" ", 2);
  const nanoseconds = (time: string): bigint => BigInt(time.replace(".", ""));
  return {
    path: text.slice(before.length + after.length + 2),
    type: a === 1 ? "directory" : "file",
    before: nanoseconds(before),
    after: nanoseconds(after),
  };
}

/** An init says how its program ended; without one PID 1 is the program. */
async function programEnd(reports: ReportReader, pid: number): Promise<ProgramEnd> {
  const end = await reports.next(kinds.exit);
  await reports.closed;
  const status = await waitFor(pid);
  if (end?.kind === kinds.exit) {
    return end.a === 1 ? { kind: "signaled", signal: end.b } : { kind: "exited", code: end.b };
  }
  if (status === undefined) {
    throw new TsbuildError("Cannot tell how the container ended: another part of this process has waited for it", {
      code: "E_RUNTIME_SETUP",
      hint: "leave the children of this process that you did not start alone: no waitpid(-1), no ignored SIGCHLD",
    });
  }
  const signal = status & 0x7f;
  return signal === 0 ? { kind: "exited", code: (status >> 8) & 0xff } : { kind: "signaled", signal };
}

function sendSignal(pid: number, signal: number): void {
  tryCall(["ESRCH"], "kill", undefined, pid, signal);
}

function planFile(plan: InitPlan): number {
  const fd = call("memfd_create", undefined, Buffer.from("tsbuild-plan\0"), 1);
  writeFd(fd, encodePlan(plan));
  return fd;
}

/** Where the root cannot be an overlay, the reason is the place of the store. */
function rootError(error: StartError, { root }: InitPlan): TsbuildError {
  if (error.step !== "mount the root file system" || root.kind !== "overlay") return error;
  return placeError(error.errno, root.upper, error) ?? error;
}

function startError(report: Report | undefined): StartError {
  if (report?.kind !== kinds.error) {
    return new StartError("Cannot start the container: its first process ended without a word", {
      code: "E_RUNTIME_SETUP",
      step: "start",
      errno: "",
      hint: "something killed it: look at the memory of this machine and at its kernel log",
    });
  }
  const errno = errnoByNumber(report.b);
  const step = steps[report.a] ?? `step ${report.a}`;
  const what = report.text === "" ? step : `${step} ${JSON.stringify(report.text)}`;
  const code =
    report.a === stepDirectory ? "E_WORKDIR_INVALID" : report.a === stepExec ? execCode(errno) : "E_RUNTIME_SETUP";
  const hint = hints.get(`${step}: ${errno}`) ?? (code.startsWith("E_EXEC_") ? undefined : refusedHere);
  return new StartError(`Cannot ${what}: ${errno}`, { code, step, errno, ...(hint === undefined ? {} : { hint }) });
}

const refusedHere = "this kernel, or the container that tsbuild runs in, does not allow it; --debug shows more";

/** Of a program that got more than execve(2) takes. */
export const tooLongHint =
  "its arguments and variables are too long for the kernel: 131071 bytes each, and together a quarter of `ulimit -s`";

/** What helps with failures whose name says little. */
const hints: ReadonlyMap<string, string> = new Map([
  ["create the namespaces: EPERM", "run tsbuild as root, or in a container that may make namespaces and mounts"],
  ["make the mounts private: EPERM", "run tsbuild as root, or in a container that may make namespaces and mounts"],
  ["create the namespaces: ENOSPC", "the limits in /proc/sys/user/max_*_namespaces are reached: raise them"],
  ["mount the root file system: EPERM", "run tsbuild as root, or in a container that may make namespaces and mounts"],
  ["mount: EINVAL", "a directory cannot lie on a file, nor a file on a directory; or an option is wrong"],
  ["mount: ENAMETOOLONG", longPathHint],
  ["mount: ENOTDIR", "a part of the target's path is a file"],
  ["mount: ELOOP", "symbolic links in the target's path lead to each other"],
  ["read the plan: EBADMSG", "the executable is of another version: npm run build:native"],
  ["execute: ENOEXEC", 'it is for another platform, or a script without a "#!" line'],
  ["execute: E2BIG", tooLongHint],
  ["execute: ENAMETOOLONG", longPathHint],
  ["execute: ELOOP", "symbolic links in its path lead to each other"],
  ["execute: EACCES", "make it executable: chmod +x"],
  ["execute: ENOENT", "check its name and PATH; of a file that is there, the interpreter is missing"],
  ["execute: ENOTDIR", "check its path: a part of it is no directory"],
  ["set the hostname: EINVAL", "a host name has at most 64 bytes"],
  ["set the hostname: ENAMETOOLONG", "a host name has at most 64 bytes"],
  ["create the namespaces: EAGAIN", "the limit of processes leaves room for none"],
  ["enter the working directory: ENOTDIR", "a part of its path is a file: name a directory"],
  ["enter the working directory: EEXIST", "a part of its path is a file: name a directory"],
  ["enter the working directory: EACCES", "the user may not enter it: change its mode, or name another one"],
  ["enter the working directory: ENAMETOOLONG", longPathHint],
  ["enter the working directory: ELOOP", "symbolic links in its path lead to each other: name the directory itself"],
  ["enter the working directory: EXDEV", "it leads out of the container's root: name a directory inside"],
  ["enter the working directory: EROFS", "it is not there, and nothing can be made on a read-only file system"],
  ["enter the working directory: ENOENT", "it cannot be made there: name another directory"],
  ["fork: EAGAIN", "the limit of processes leaves room for none"],
]);

function execCode(errno: string): string {
  return errno === "ENOENT" || errno === "ENOTDIR" ? "E_EXEC_NOT_FOUND" : "E_EXEC_DENIED";
}

/** Cuts the status pipe's stream into reports. */
class ReportReader {
  readonly closed: Promise<void>;
  #bytes = Buffer.alloc(0);
  readonly #ready: Report[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  constructor(fd: number) {
    const socket = new Socket({ fd, readable: true, writable: false });
    this.closed = new Promise((resolve) => socket.on("close", () => resolve()));
    socket.on("data", (data: Buffer) => this.#add(data));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      this.#ended = true;
      this.#wake?.();
    });
  }

  /** The next report of the kind, or an error report that came instead; undefined when the pipe ended first. */
  async next(kind: number): Promise<Report | undefined> {
    for (;;) {
      const at = this.#ready.findIndex((one) => one.kind === kind || one.kind === kinds.error);
      if (at >= 0) return this.#ready.splice(at, 1)[0];
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** What has come of this kind. */
  all(kind: number): readonly Report[] {
    return this.#ready.filter((one) => one.kind === kind);
  }

  #add(data: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, data]);
    while (this.#bytes.length >= 16 && this.#bytes.length >= 16 + this.#bytes.readUInt32LE(12)) {
      const size = this.#bytes.readUInt32LE(12);
      this.#ready.push({
        kind: this.#bytes.readUInt32LE(0),
        a: this.#bytes.readUInt32LE(4),
        b: this.#bytes.readUInt32LE(8),
        text: decodePath(this.#bytes.subarray(16, 16 + size)),
      });
      this.#bytes = this.#bytes.subarray(16 + size);
    }
    this.#wake?.();
  }
}
