import { Interrupted } from "../base/interrupted.ts";
import { monotonic } from "../../../native/clock.ts";

type Caught = Interrupted["signal"];

const caught: readonly Caught[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** timeout(1) and npm send on a signal that the whole process group has got anyway: within this time (ms) it is the same. */
const sameSignal = 500;

/** The first signal asks the work to stop and clean up; a second one ends the process at once. */
export class Interrupts implements Disposable {
  readonly #controller = new AbortController();
  #interrupted = 0;
  #diverted: ((signal: NodeJS.Signals) => void) | undefined;
  readonly #handler = (signal: NodeJS.Signals): void => {
    if (this.#diverted !== undefined) this.#diverted(signal);
    else this.#interrupt(caught.find((one) => one === signal) ?? "SIGTERM");
  };

  constructor() {
    for (const signal of caught) process.on(signal, this.#handler);
  }

  /** Aborted with an Interrupted as the reason. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Until disposed, signals go to `handler` and abort nothing: the program in the container decides. */
  divert(handler: (signal: NodeJS.Signals) => void): Disposable {
    const more: readonly NodeJS.Signals[] = ["SIGQUIT", "SIGUSR1", "SIGUSR2"];
    this.#diverted = handler;
    for (const signal of more) process.on(signal, handler);
    return {
      [Symbol.dispose]: () => {
        this.#diverted = undefined;
        for (const signal of more) process.off(signal, handler);
      },
    };
  }

  [Symbol.dispose](): void {
    for (const signal of caught) process.off(signal, this.#handler);
  }

  #interrupt(signal: Caught): void {
    const reason = new Interrupted(signal);
    if (!this.#controller.signal.aborted) {
      this.#interrupted = monotonic();
      this.#controller.abort(reason);
    } else if (monotonic() - this.#interrupted > sameSignal) process.exit(reason.exitCode);
  }
}
