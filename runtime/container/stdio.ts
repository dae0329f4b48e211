import { fstatSync } from "node:fs";
import { Socket } from "node:net";
import { TsbuildError } from "../../native/errors.ts";
import { spawnProcess } from "../../native/spawn.ts";
import { call, closeFd, errnoByNumber, pipe } from "../../native/syscall.ts";
import { waitFor } from "../../native/wait.ts";
import type { Stdio } from "./container.ts";

const SIGKILL = 9;
/** Nobody reads it any more: the program has been told by the pipe. */
const EPIPE = 32;

/** Standard streams that a container may have, until they are disposed; what it writes goes on until then. */
export interface CarriedStdio extends AsyncDisposable {
  readonly stdio: Stdio;
  /** To be called when the container has its copies: the pipes end when its last process has closed them. */
  started(): void;
  /** Resolves when all that was written has arrived. @throws E_OUTPUT_FILE where the caller's file took no more */
  drained(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Pipes in place of the caller's standard streams, and processes that carry the bytes: what a container has it can open
 * anew by /proc/self/fd, a file with other rights than its descriptor has.
 */
export function carryStdio(caller: Stdio): CarriedStdio {
  const carrier = new Carrier();
  try {
    const stdin = caller.stdin === "null" ? "null" : carrier.input(caller.stdin);
    const stdout = carrier.output(caller.stdout);
    // What goes to one place goes through one pipe: it arrives in the order in which it was written.
    const stderr = sameFile(caller.stdout, caller.stderr) ? stdout : carrier.output(caller.stderr);
    return carrier.ready({ stdin, stdout, stderr });
  } catch (error) {
    carrier[Symbol.asyncDispose]().catch(() => undefined);
    throw error;
  }
}

class Carrier {
  /** The container's ends. */
  readonly #given = new DisposableStack();
  readonly #alive = pipe();
  /** The processes that write to the caller; the pipe `alive` ends with the last of them. */
  readonly #writers: number[] = [];
  readonly #watch = new Socket({ fd: this.#alive.read, readable: true, writable: false });
  readonly #closed: Promise<void>;
  #reader: number | undefined;
  #ended = false;
  #drained: Promise<void> | undefined;

  constructor() {
    this.#watch.on("error", () => this.#watch.destroy()).resume();
    this.#closed = new Promise((resolve) =>
      this.#watch.on("close", () => {
        this.#ended = true;
        resolve();
      }),
    );
    this.#given.defer(() => closeFd(this.#alive.write));
  }

  input(fd: number): number {
    const { read, write } = pipe();
    this.#given.defer(() => closeFd(read));
    try {
      this.#reader = spawnProcess([fd, write], "relay");
    } finally {
      closeFd(write);
    }
    return read;
  }

  output(fd: number): number {
    const { read, write } = pipe();
    this.#given.defer(() => closeFd(write));
    try {
      this.#writers.push(spawnProcess([read, fd, this.#alive.write], "relay"));
    } finally {
      closeFd(read);
    }
    return write;
  }

  ready(stdio: Stdio): CarriedStdio {
    return {
      stdio,
      started: () => this.#given.dispose(),
      drained: async () => await (this.#drained ??= this.#drain()),
      [Symbol.asyncDispose]: async () => await this[Symbol.asyncDispose](),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#given.dispose();
    if (!this.#ended) for (const pid of this.#writers) call("kill", undefined, pid, SIGKILL);
    await (this.#drained ??= this.#drain()).catch(() => undefined);
  }

  async #drain(): Promise<void> {
    await this.#closed;
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader !== undefined) {
      call("kill", undefined, reader, SIGKILL);
      await waitFor(reader);
    }
    const statuses = await Promise.all(this.#writers.map(async (pid) => await waitFor(pid)));
    const errno = statuses.map((status = 0) => (status >> 8) & 0xff).find((one) => one !== 0 && one !== EPIPE);
    if (errno !== undefined) throw cannotWrite(errnoByNumber(errno));
  }
}

function sameFile(one: number, other: number): boolean {
  const [a, b] = [fstatSync(one), fstatSync(other)];
  return a.dev === b.dev && a.ino === b.ino;
}

function cannotWrite(errno: string): TsbuildError {
  return new TsbuildError(`Cannot write what the container printed: ${errno}`, {
    code: "E_OUTPUT_FILE",
    hint: "check where the output goes, and the space there",
  });
}
