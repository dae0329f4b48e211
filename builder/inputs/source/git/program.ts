import { spawn, type ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";
import { TsbuildError } from "../../../../native/errors.ts";

/** What git says of an error is at its end. */
const keptError = 16 << 10;
/** Bytes of the longest answer: a list of all refs. */
const maxOutput = 64 << 20;
/** Between asking a group of processes to end and making it, in milliseconds. */
const grace = 1000;

/** One run of git: no shell, and nothing of the caller's environment but `env`. */
export interface GitRun {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly directory: string;
  /** What the program and its helpers read as descriptor 3. */
  readonly secret?: number | undefined;
  readonly signal: AbortSignal;
  /** Milliseconds without a word after which it is given up; undefined: it may be silent. */
  readonly patience?: number | undefined;
  /** Told of every line of standard error, also of those that a carriage return ends. */
  readonly onLine?: (line: string) => void;
}

/** git ended with another code than 0. */
export class GitFailure extends Error {
  override readonly name: string = "GitFailure";
  /** The end of standard error. */
  readonly text: string;

  constructor(text: string) {
    super(`git failed: ${text.trim().split("\n").at(-1) ?? ""}`);
    this.text = text;
  }
}

/**
 * What git wrote to standard output. It runs in a process group of its own, which is killed when the signal is aborted:
 * the programs that speak to servers are its children. @throws GitFailure, E_GIT_MISSING
 */
export async function runGit(run: GitRun): Promise<Buffer> {
  const { args, env, directory, secret, signal } = run;
  signal.throwIfAborted();
  const child = spawn("git", args, {
    cwd: directory,
    env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe", ...(secret === undefined ? [] : [secret])],
  });
  const stop = (): void => killGroup(child);
  signal.addEventListener("abort", stop, { once: true });
  const watch = new SilenceWatch(run.patience, stop);
  try {
    const [code, output, errors] = await Promise.all([
      ended(child),
      readAll(watch.over(child.stdout), stop),
      readErrors(watch.over(child.stderr), run.onLine),
    ]);
    signal.throwIfAborted();
    if (watch.silent) throw new GitFailure("fatal: Operation too slow: nothing came for too long");
    if (code === 0 && output !== undefined) return output;
    throw new GitFailure(output === undefined ? "it answered more than is believable" : errors);
  } finally {
    watch.end();
    signal.removeEventListener("abort", stop);
  }
}

/** Tells when a program has said nothing for too long: git itself waits for servers of git:// and ssh for ever. */
class SilenceWatch {
  silent = false;
  readonly #patience: number | undefined;
  readonly #stop: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(patience: number | undefined, stop: () => void) {
    this.#patience = patience;
    this.#stop = stop;
    this.#heard();
  }

  async *over(stream: Readable | null): AsyncGenerator<Buffer> {
    for await (const chunk of stream ?? []) {
      this.#heard();
      yield Buffer.from(chunk);
    }
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #heard(): void {
    clearTimeout(this.#timer);
    if (this.#patience === undefined) return;
    this.#timer = setTimeout(() => {
      this.silent = true;
      this.#stop();
    }, this.#patience);
  }
}

async function ended(child: ChildProcess): Promise<number | null> {
  return await new Promise((resolve, reject) => {
    child.on("error", (error) => reject(missing(error)));
    child.on("close", resolve);
  });
}

/** undefined: it was too much, and the program was stopped. */
async function readAll(stream: AsyncIterable<Buffer>, stop: () => void): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const bytes of stream) {
    size += bytes.length;
    if (size <= maxOutput) chunks.push(bytes);
    else stop();
  }
  return size > maxOutput ? undefined : Buffer.concat(chunks);
}

async function readErrors(stream: AsyncIterable<Buffer>, onLine: GitRun["onLine"]): Promise<string> {
  let kept = "";
  let line = "";
  for await (const chunk of stream) {
    const text = chunk.toString("utf8");
    kept = (kept + text).slice(-keptError);
    const lines = (line + text).split(/[\r\n]/);
    line = (lines.pop() ?? "").slice(-keptError);
    for (const one of lines) if (one !== "") onLine?.(one);
  }
  if (line !== "") onLine?.(line);
  return kept;
}

function killGroup(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  const kill = (signal: NodeJS.Signals): void => {
    try {
      process.kill(-pid, signal);
    } catch {
      // It has ended.
    }
  };
  kill("SIGTERM");
  const timer = setTimeout(() => kill("SIGKILL"), grace);
  child.once("close", () => clearTimeout(timer));
}

function missing(cause: Error): TsbuildError {
  return new TsbuildError("Cannot fetch from a git repository: the program git is not on this machine", {
    code: "E_GIT_MISSING",
    cause,
    hint: "install it: apt-get install git",
  });
}
