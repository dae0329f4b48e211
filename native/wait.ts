import { tryCall } from "./syscall.ts";

const WNOHANG = 1;

/**
 * Waits for a child that is about to end and gives its wait status; undefined when somebody else has taken it. The last
 * process of a namespace can take its time (it waits for all others), so the thread is not blocked.
 */
export async function waitFor(pid: number): Promise<number | undefined> {
  const status = Buffer.alloc(4);
  for (let delay = 0; ; delay = Math.min(delay + 1, 20)) {
    const taken = tryCall(["ECHILD"], "waitpid", undefined, pid, status, WNOHANG);
    if (taken !== 0) return taken === undefined ? undefined : status.readInt32LE(0);
    await new Promise((resolve) => (delay === 0 ? setImmediate(resolve) : setTimeout(resolve, delay)));
  }
}
