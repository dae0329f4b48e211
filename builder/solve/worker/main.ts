import { parentPort, workerData } from "node:worker_threads";
import { sendError } from "./sent-error.ts";
import { endOfTasks, type TaskContext, type TaskName, type TaskReply, type TaskRequest } from "./task.ts";
import { tasks, type TaskAction } from "./tasks.ts";

/** The thread's own end: one task after the other, as they come. `workerData` is set to 1 when one is to end early. */
const aborted = new Int32Array(workerData instanceof SharedArrayBuffer ? workerData : new SharedArrayBuffer(4));
const reply = (message: TaskReply): void => parentPort?.postMessage(message);

const context: TaskContext<TaskName> = {
  signal: {
    get aborted() {
      return Atomics.load(aborted, 0) !== 0;
    },
    throwIfAborted() {
      if (this.aborted) throw new DOMException("This operation was aborted", "AbortError");
    },
  },
  progress: (value) => reply({ kind: "progress", value }),
};

async function perform({ name, input }: TaskRequest): Promise<void> {
  try {
    // The pool's run() has typed the input by the name.
    const action = tasks[name] as TaskAction<TaskName>;
    reply({ kind: "done", value: await action(input as never, context) });
  } catch (error) {
    reply({ kind: "failed", error: sendError(error) });
  }
}

parentPort?.on("message", (request: TaskRequest | typeof endOfTasks) => {
  if (request === endOfTasks) parentPort?.close();
  else void perform(request);
});
