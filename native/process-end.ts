/** Signals that end a process which does nothing about them. */
const deadly: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"];

const cleanups = new Set<() => Promise<void>>();
const last: (() => void)[] = [];
let state: "idle" | "listening" | "ending" = "idle";

/**
 * Until disposed: what is to be done before a signal ends the process. Only where nobody else listens to the signal: a
 * program that does decides itself what becomes of its builds and containers. The second signal does not wait.
 */
export function beforeEnd(cleanup: () => Promise<void>): Disposable {
  listen();
  cleanups.add(cleanup);
  return { [Symbol.dispose]: () => void cleanups.delete(cleanup) };
}

/** What is to be done last, however the process ends but by SIGKILL. */
export function atEnd(act: () => void): void {
  listen();
  last.push(act);
  process.once("exit", act);
}

function listen(): void {
  if (state !== "idle") return;
  state = "listening";
  for (const signal of deadly) process.on(signal, end);
}

function end(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  if (state === "ending") {
    die(signal);
    return;
  }
  state = "ending";
  void Promise.allSettled([...cleanups].map(async (cleanup) => await cleanup())).then(() => die(signal));
}

/** By the signal itself: who waits for the process sees what it ended of. */
function die(signal: NodeJS.Signals): void {
  for (const act of last) act();
  for (const one of deadly) process.off(one, end);
  process.kill(process.pid, signal);
}
