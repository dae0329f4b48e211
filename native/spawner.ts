import { closeSync, openSync } from "node:fs";
import { openMessageSocket, sendFds } from "./fd-socket.ts";
import { encodePath } from "./pathname.ts";
import { planMagic, type InitPlan } from "./plan.ts";
import { spawnProcess } from "./spawn.ts";
import { closeFd, tryCall } from "./syscall.ts";
import { waitFor } from "./wait.ts";

/** How long it waits for another request, in ms. */
const patience = 1000;

/** The process that clones containers, while there is work for it. */
let current: Spawner | undefined;

/**
 * Asks for a container's PID 1, which becomes a child of this process; the rest is said by the status pipe. `fds`: stdin,
 * stdout, stderr, plan, status pipe, the terminal's socket, the sockets of mounts. The spawner watches the container until
 * what is returned is disposed. @throws SyscallError, E_NATIVE_MISSING
 */
export function requestContainer(plan: InitPlan, fds: readonly number[]): Disposable {
  const request = encodeRequest(plan);
  current ??= new Spawner();
  const first = current.send(request, fds);
  if (first !== undefined) return first;
  // Somebody has killed it: once more, with a new one.
  current.close();
  current = new Spawner();
  return current.send(request, fds) ?? new DisposableStack();
}

/** struct request of native/init/serve.c */
function encodeRequest({ namespaces, cgroup }: InitPlan): Buffer {
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32LE(planMagic, 0);
  numbers.writeUInt32LE(namespaces, 4);
  return Buffer.concat([numbers, encodePath(cgroup)]);
}

class Spawner {
  readonly #pid: number;
  readonly #socket: number;
  readonly #idle: NodeJS.Timeout;
  #containers = 0;
  /** It is not to be seen after the process that it served; before it ends it kills what still runs. */
  readonly #atExit = (): void => {
    closeFd(this.#socket);
    tryCall(["ECHILD"], "waitpid", undefined, this.#pid, null, 0);
  };

  constructor() {
    const { ours, theirs } = openMessageSocket();
    const none = openSync("/dev/null", "r+");
    try {
      this.#pid = spawnProcess([none, none, none, theirs], "serve");
      this.#socket = ours;
    } catch (error) {
      closeFd(ours);
      throw error;
    } finally {
      closeSync(none);
      closeFd(theirs);
    }
    this.#idle = setTimeout(() => {
      if (this.#containers === 0) this.close();
    }, patience).unref();
    process.once("exit", this.#atExit);
  }

  /** Until the container is let go, the spawner is there; undefined when it is not there any more. */
  send(request: Buffer, fds: readonly number[]): Disposable | undefined {
    this.#idle.refresh();
    if (!sendFds(this.#socket, request, fds)) return undefined;
    this.#containers++;
    return {
      [Symbol.dispose]: () => {
        this.#containers--;
        if (current === this) this.#idle.refresh();
      },
    };
  }

  close(): void {
    clearTimeout(this.#idle);
    process.off("exit", this.#atExit);
    closeFd(this.#socket);
    if (current === this) current = undefined;
    waitFor(this.#pid).catch(() => undefined);
  }
}
