import { constants } from "node:os";
import { isatty } from "node:tty";
import type { Container } from "../../../../runtime/index.ts";
import type { Invocation } from "../../flags/command.ts";
import { attend } from "../attend.ts";
import { tellHostNetwork } from "../host-network.ts";
import type { Interrupts } from "../../terminal/interrupts.ts";
import { brieflyShown } from "../../progress/brief.ts";
import { openProgress, progressMode } from "../../progress/view.ts";
import { runRequest } from "./request.ts";
import { UsageError } from "../../base/usage-error.ts";

/** `tsbuild run`: the container's exit code; standard streams are the container's alone. */
export async function execute(invocation: Invocation): Promise<number> {
  const { flags, config, out, signal, interrupts } = invocation;
  const request = runRequest(invocation);
  if (request.tty === true && request.interactive === true && !isatty(0)) {
    throw new UsageError("Cannot give the command a terminal: standard input is not one", {
      code: "E_NOT_A_TERMINAL",
      hint: "leave out -t when input comes from a pipe or a file",
    });
  }
  const mode = progressMode(flags.string("progress"), flags.bool("quiet"), config);
  await using view = brieflyShown(async () => await openProgress(mode, config, out));
  const { startImage } = await import("../../../engine/run.ts");
  // A signal aborts the preparation; afterwards it is the program's, and only our own end kills the container.
  const setup = new AbortController();
  const abort = (): void => setup.abort(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  signal.throwIfAborted();
  using early = new EarlySignals(interrupts);
  const onStart = (): void => {
    signal.removeEventListener("abort", abort);
    early.collect();
  };
  await using running = await startImage({ ...request, signal: setup.signal, onEvent: view.sink, onStart });
  await view.done();
  early.deliver(running.container);
  const { container, exitCode } = running;
  tellHostNetwork(container, out);
  return await attend(container, { exitCode, interrupts, interactive: request.interactive === true });
}

/** Signals that come while the program is being started: it gets them as soon as there is one to send them to. */
class EarlySignals implements Disposable {
  readonly #interrupts: Interrupts;
  readonly #waiting: NodeJS.Signals[] = [];
  #diverted: Disposable | undefined;

  constructor(interrupts: Interrupts) {
    this.#interrupts = interrupts;
  }

  collect(): void {
    this.#diverted = this.#interrupts.divert((signal) => this.#waiting.push(signal));
  }

  deliver(container: Container): void {
    for (const signal of this.#waiting.splice(0)) container.kill(constants.signals[signal]);
  }

  [Symbol.dispose](): void {
    this.#diverted?.[Symbol.dispose]();
  }
}
