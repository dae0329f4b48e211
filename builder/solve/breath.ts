import { monotonic } from "../../native/clock.ts";

/** Longest time that signals and timers wait for steps that wait for nothing themselves, in milliseconds. */
const sliceTime = 50;

/** Lets the event loop have its turn now and then. */
export class Breath {
  #since = monotonic();

  async take(): Promise<void> {
    if (monotonic() - this.#since < sliceTime) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#since = monotonic();
  }
}
