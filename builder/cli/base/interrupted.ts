import { constants } from "node:os";

/** The reason of the command's AbortSignal after a signal of the kernel. */
export class Interrupted extends Error {
  override readonly name: string = "Interrupted";
  readonly signal: "SIGINT" | "SIGTERM" | "SIGHUP";

  constructor(signal: "SIGINT" | "SIGTERM" | "SIGHUP") {
    super(`Interrupted by ${signal}`);
    this.signal = signal;
  }

  /** 128 + the signal's number: 130 for Ctrl-C. */
  get exitCode(): number {
    return 128 + constants.signals[this.signal];
  }
}
