import type { BuildEvent } from "../../graph/events.ts";
import { disarmed } from "../ci/disarm.ts";
import type { Folding } from "../ci/folding.ts";
import { printable } from "../base/text.ts";
import { progressBytes } from "./bytes.ts";
import { isCanceled, type Status, type Step, Trace } from "./trace.ts";
import { shortWarning } from "./short-warning.ts";
import { failedLogs } from "./failed-logs.ts";

/** How long the step on show keeps its place while another has something to say. */
const patience = 5000;
/** Text of a step that is not on show is held back up to this many characters. */
const patienceBytes = 1 << 18;
/** A transfer speaks again when it has moved by this much, and not more often than this. */
const minProgress = 0.05;
const minPause = 500;

interface Held {
  readonly index: number;
  readonly lines: string[];
  size: number;
}

/**
 * BuildKit's plain progress: `#7 [build 2/5] RUN ...`, `#7 0.213 text`, `#7 DONE 1.2s`. A pure function of the events.
 * No service takes what steps print or are called for a command of its own. With `folding` each stretch of lines of one step can be folded away.
 */
export class PlainProgress {
  readonly trace: Trace = new Trace();
  readonly #folding: Folding | undefined;
  /** The fold that is open. */
  #fold: { readonly title: string; readonly id: number } | undefined;
  #folds = 0;
  readonly #held = new Map<Step, Held>();
  readonly #numbers = new Map<Step, number>();
  readonly #lastStatus = new Map<Status["id"], Status>();
  #current: Step | undefined;
  #since = 0;
  #first = true;

  constructor({ folding }: { readonly folding?: Folding | undefined } = {}) {
    this.#folding = folding;
  }

  /** The text after the last event: nothing stays folded that tells why a build failed. */
  end(failed: boolean, time: number): string {
    const closed = this.#close(time);
    return this.#folding !== undefined && failed ? closed + disarmed(failedLogs(this.trace, 20)) : closed;
  }

  /** The text to append for this event. */
  event(event: BuildEvent): string {
    switch (event.kind) {
      case "vertex":
        this.trace.vertex(event.vertex);
        return "";
      case "started":
        return this.#say(this.trace.started(event), [], event.time);
      case "log":
        return this.#say(this.trace.step(event.digest), this.trace.log(event), event.time);
      case "status": {
        const found = this.trace.status(event);
        return found === undefined ? "" : this.#say(found.step, this.#statusLines(found.status), event.time);
      }
      case "miss":
        return this.#say(this.trace.miss(event), [`MISS ${event.reasons.map(printable).join(", ")}`], event.time);
      case "warning":
        return this.#warning(event);
      case "completed": {
        const step = this.trace.completed(event);
        return step?.completed === undefined ? "" : this.#complete(step, event.time);
      }
      case "network":
      case "result":
        return "";
    }
  }

  #warning(event: Extract<BuildEvent, { readonly kind: "warning" }>): string {
    const step = this.trace.warning(event);
    const text = `WARN: ${printable(shortWarning(event))}`;
    if (step === undefined) return disarmed(`${text}\n`);
    // Of a step that has ended: its number is enough.
    const number = step.completed === undefined ? undefined : this.#numbers.get(step);
    return number === undefined ? this.#say(step, [text], event.time) : disarmed(`#${number} ${text}\n`);
  }

  /** Lines of a step: written at once if it is on show or nothing is, else held back. */
  #say(step: Step | undefined, lines: readonly string[], time: number): string {
    if (step === undefined) return "";
    const held = this.#hold(step);
    held.lines.push(...lines);
    for (const line of lines) held.size += line.length;
    if (this.#current === step) return this.#flush(held);
    if (this.#current === undefined) return this.#show(step, time);
    const waited = held.lines.length > 0 && (time - this.#since >= patience || held.size > patienceBytes);
    return waited ? this.#show(step, time) : "";
  }

  #complete(step: Step, time: number): string {
    const held = this.#hold(step);
    held.lines.push(...this.trace.rest(step, time), closing(step));
    let text = this.#current === step ? this.#flush(held) : this.#show(step, time);
    text += this.#close(time);
    this.#held.delete(step);
    this.#current = undefined;
    const next = [...this.#held.keys()].find((other) => other.completed === undefined);
    if (next !== undefined) text += this.#show(next, time);
    return text;
  }

  #hold(step: Step): Held {
    let held = this.#held.get(step);
    if (held !== undefined) return held;
    const index = this.#numbers.get(step) ?? this.#numbers.size + 1;
    this.#numbers.set(step, index);
    this.#held.set(step, (held = { index, lines: [], size: 0 }));
    return held;
  }

  #show(step: Step, time: number): string {
    const held = this.#hold(step);
    const old = this.#current === undefined ? undefined : this.#held.get(this.#current);
    const left = old === undefined ? "" : `#${old.index} ...\n`;
    const closed = this.#close(time);
    const gap = this.#first ? "" : "\n";
    this.#first = false;
    this.#current = step;
    this.#since = time;
    const title = disarmed(`#${held.index} ${printable(step.name)}`);
    return `${left}${closed}${gap}${this.#open(title, time)}${this.#flush(held)}`;
  }

  #open(title: string, time: number): string {
    if (this.#folding === undefined) return `${title}\n`;
    this.#fold = { title, id: ++this.#folds };
    return this.#folding.open(title, this.#fold.id, time);
  }

  #close(time: number): string {
    const fold = this.#fold;
    this.#fold = undefined;
    return fold === undefined ? "" : (this.#folding?.close(fold.title, fold.id, time) ?? "");
  }

  #flush(held: Held): string {
    const text = held.lines.map((line) => `#${held.index} ${line}\n`).join("");
    held.lines.length = 0;
    held.size = 0;
    return disarmed(text);
  }

  #statusLines(status: Status): readonly string[] {
    const last = this.#lastStatus.get(status.id);
    if (last !== undefined && status.completed === undefined) {
      const progress = status.total > 0 ? (status.current - last.current) / status.total : 0;
      const waited = status.time - last.time;
      if (waited < minPause || (progress < minProgress && waited < patience)) return [];
    }
    this.#lastStatus.set(status.id, status);
    return [printable(status.id) + statusText(status)];
  }
}

/** ` 1.05MB / 29.13MB 0.2s done` */
export function statusText(status: Status): string {
  const current = progressBytes(status.current);
  const bytes =
    status.total > 0 ? ` ${current} / ${progressBytes(status.total)}` : status.current > 0 ? ` ${current}` : "";
  const seconds = ((status.completed ?? status.time) - status.started) / 1000;
  const time = seconds > 0.01 ? ` ${seconds.toFixed(1)}s` : "";
  return `${bytes}${time}${status.completed === undefined ? "" : " done"}`;
}

function closing(step: Step): string {
  if (isCanceled(step)) return "CANCELED";
  if (step.error !== undefined) return `ERROR: ${step.error.split("\n").map(printable).join(" ")}`;
  if (step.cached) return "CACHED";
  const took = Math.max(0, (step.completed ?? 0) - (step.started ?? step.completed ?? 0)) / 1000;
  return `DONE ${took.toFixed(1)}s`;
}
