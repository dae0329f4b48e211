import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { packageFile } from "../../../native/package-file.ts";
import { receiveError } from "./sent-error.ts";
import { endOfTasks, type TaskName, type TaskOptions, type TaskReply, type TaskRequest } from "./task.ts";
import type { Tasks, Workers } from "./task.ts";
import { Semaphore } from "../../base/semaphore.ts";

/** As many threads as the machine has processors, each started when there is work for it; dispose ends them. */
export class WorkerPool implements Workers, AsyncDisposable {
  readonly #slots: Semaphore;
  readonly #threads = new Set<Thread>();
  readonly #idle: Thread[] = [];

  constructor(size: number = availableParallelism()) {
    this.#slots = new Semaphore(size);
  }

  async run<N extends TaskName>(
    name: N,
    input: Tasks[N]["input"],
    options: TaskOptions<N>,
  ): Promise<Tasks[N]["output"]> {
    using _slot = await this.#slots.acquire(options.signal);
    const thread = this.#idle.pop() ?? (await this.#start());
    try {
      return await thread.run(name, input, options);
    } finally {
      if (thread.usable) this.#idle.push(thread);
      else this.#threads.delete(thread);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#threads].map(async (thread) => await thread[Symbol.asyncDispose]()));
    this.#threads.clear();
    this.#idle.length = 0;
  }

  async #start(): Promise<Thread> {
    const thread = await Thread.start();
    this.#threads.add(thread);
    return thread;
  }
}

/** What a thread is given to end a task that nobody waits for. */
const patienceMs = 5000;

/** One thread; one task at a time. */
class Thread implements AsyncDisposable {
  readonly #worker: import("node:worker_threads").Worker;
  readonly #aborted: Int32Array;
  usable = true;
  #ending = false;

  private constructor(worker: import("node:worker_threads").Worker, aborted: Int32Array) {
    this.#worker = worker;
    this.#aborted = aborted;
    worker.unref();
  }

  static async start(): Promise<Thread> {
    const { Worker } = await import("node:worker_threads");
    const shared = new SharedArrayBuffer(4);
    return new Thread(new Worker(entryFile(), { workerData: shared, name: "tsbuild worker" }), new Int32Array(shared));
  }

  async run<N extends TaskName>(
    name: N,
    input: Tasks[N]["input"],
    { signal, onProgress }: TaskOptions<N>,
  ): Promise<Tasks[N]["output"]> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Tasks[N]["output"]>();
    const receive = (reply: TaskReply): void => {
      if (reply.kind === "progress") onProgress?.(reply.value as Tasks[N]["progress"]);
      else if (reply.kind === "done") resolve(reply.value as Tasks[N]["output"]);
      else reject(signal.aborted ? signal.reason : receiveError(reply.error));
    };
    const fail = (error: unknown): void => {
      this.usable = false;
      reject(error);
    };
    const exit = (): void => fail(new Error("the worker thread ended"));
    const abort = (): void => void Atomics.store(this.#aborted, 0, 1);
    Atomics.store(this.#aborted, 0, 0);
    this.#worker.on("message", receive).on("error", fail).on("exit", exit).ref();
    signal.addEventListener("abort", abort);
    try {
      this.#worker.postMessage({ name, input } satisfies TaskRequest);
      return await promise;
    } finally {
      signal.removeEventListener("abort", abort);
      this.#worker.off("message", receive).off("error", fail).off("exit", exit);
      // One that is ending keeps the process until it has: else nobody would come back from waiting for it.
      if (!this.#ending) this.#worker.unref();
    }
  }

  /** By its own will: a thread that is stopped while it loads an addon takes the process with it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending = true;
    Atomics.store(this.#aborted, 0, 1);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#worker.once("exit", () => resolve()).ref();
    this.#worker.postMessage(endOfTasks);
    const patience = setTimeout(() => void this.#worker.terminate().then(() => resolve()), patienceMs);
    await promise;
    clearTimeout(patience);
  }
}

/** The sources' own file, or the bundled one of the package. */
function entryFile(): string {
  const source = join(import.meta.dirname, "main.ts");
  return existsSync(source) ? source : packageFile("dist", "cli", "worker.cjs");
}
