import type { BuildEvent } from "../../graph/events.ts";
import { hostNetworkMessage } from "../../graph/network-warning.ts";
import { printable } from "../base/text.ts";
import { failedLogs } from "./failed-logs.ts";
import { Trace } from "./trace.ts";

/** Says nothing but that steps have the host's network; keeps the last lines of each step in case one fails. */
export class QuietProgress {
  readonly trace: Trace = new Trace();
  #told = false;

  /** The text to append for this event. */
  event(event: BuildEvent): string {
    this.#keep(event);
    if (this.#told || event.kind !== "network" || event.reason === undefined) return "";
    this.#told = true;
    return `WARN: ${printable(hostNetworkMessage("RUN has", event.reason))}\n`;
  }

  #keep(event: BuildEvent): void {
    if (event.kind === "vertex") this.trace.vertex(event.vertex);
    else if (event.kind === "started") this.trace.started(event);
    else if (event.kind === "log") this.trace.log(event);
    else if (event.kind === "completed") {
      const step = this.trace.completed(event);
      if (step?.completed !== undefined) this.trace.rest(step, event.time);
    }
  }

  /** What the failed step wrote last. */
  failure(): string {
    return failedLogs(this.trace, 10);
  }
}
