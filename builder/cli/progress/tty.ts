import type { BuildEvent } from "../../graph/events.ts";
import type { Style } from "../terminal/style.ts";
import { cut, displayWidth, plainLine, printable } from "../base/text.ts";
import { statusText } from "./plain.ts";
import { isCanceled, type Step, Trace } from "./trace.ts";
import { shortWarning } from "./short-warning.ts";

/** What a frame is drawn for. */
export interface FrameOptions {
  /** Milliseconds since the epoch: the running timers' end. */
  readonly now: number;
  readonly width: number;
  /** Rows of the terminal; Infinity for the last frame. */
  readonly height: number;
  readonly finished?: "ok" | "failed";
}

interface Row {
  readonly step: Step;
  readonly left: string;
  readonly right: string;
  readonly paint: (text: string) => string;
  /** What goes first when there is no room: 0 log lines, 1 parts of finished steps, 2 finished steps, 3 never. */
  readonly rank: 0 | 1 | 2 | 3;
}

/** The picture of a build on a terminal, in BuildKit's layout: a pure function of the events and the clock. */
export class TtyProgress {
  readonly trace: Trace = new Trace();
  readonly #style: Style;
  readonly #logLines: number;
  readonly #title: string;
  #start: number | undefined;

  constructor(options: { readonly style: Style; readonly logLines: number; readonly title?: string }) {
    this.#style = options.style;
    this.#logLines = options.logLines;
    this.#title = options.title ?? "Building";
  }

  event(event: BuildEvent): void {
    this.#start ??= event.time;
    switch (event.kind) {
      case "vertex":
        this.trace.vertex(event.vertex);
        break;
      case "started":
        this.trace.started(event);
        break;
      case "completed": {
        const step = this.trace.completed(event);
        if (step?.completed !== undefined) this.trace.rest(step, event.time);
        break;
      }
      case "log":
        this.trace.log(event);
        break;
      case "status":
        this.trace.status(event);
        break;
      case "miss":
        this.trace.miss(event);
        break;
      case "warning":
        this.trace.warning(event);
        break;
      case "network":
      case "result":
        break;
    }
  }

  /** The lines of one frame, none wider than the terminal. */
  frame(options: FrameOptions): readonly string[] {
    const steps = this.trace.steps;
    const done = steps.filter((step) => step.completed !== undefined).length;
    const seconds = Math.max(0, options.now - (this.#start ?? options.now)) / 1000;
    const state = options.finished === undefined ? "" : " FINISHED";
    const head = `[+] ${this.#title} ${seconds.toFixed(1)}s (${done}/${steps.length})${state}`;
    const visible = steps.filter((step) => step.started !== undefined || step.completed !== undefined);
    const rows = fit(
      visible.flatMap((step) => this.#rows(step, options)),
      options.height - 2,
    );
    return [cut(head, options.width), ...rows.map((row) => draw(row, options.width))];
  }

  #rows(step: Step, options: FrameOptions): readonly Row[] {
    const finished = step.completed !== undefined;
    const took = ((step.completed ?? options.now) - (step.started ?? step.completed ?? options.now)) / 1000;
    const rank = finished ? 2 : 3;
    const paint = this.#paint(step);
    const left = ` => ${verdict(step)}${printable(step.name)}`;
    const rows: Row[] = [{ step, left, right: `${Math.max(0, took).toFixed(1)}s`, paint, rank }];
    for (const status of step.statuses.values()) {
      const part = ` => => ${printable(status.id)}${statusText({ ...status, started: status.time, completed: undefined })}`;
      const end = status.completed ?? (finished ? status.time : options.now);
      const right = `${Math.max(0, (end - status.started) / 1000).toFixed(1)}s`;
      const over = status.completed !== undefined || finished;
      rows.push({ step, left: part, right, paint: over ? paint : same, rank: over ? 1 : 3 });
    }
    for (const warning of step.warnings) {
      const text = ` => WARN: ${printable(shortWarning(warning))}`;
      rows.push({ step, left: text, right: "", paint: this.#style.warning, rank: 1 });
    }
    if (finished) return rows;
    const dim = this.#style.dim;
    if (step.misses.length > 0) {
      rows.push({ step, left: ` => => # miss: ${printable(step.misses.join(", "))}`, right: "", paint: dim, rank: 0 });
    }
    for (const line of this.#logLines === 0 ? [] : step.tail.slice(-this.#logLines)) {
      rows.push({
        step,
        left: ` => => # ${plainLine(line.slice(line.indexOf(" ") + 1))}`,
        right: "",
        paint: dim,
        rank: 0,
      });
    }
    return rows;
  }

  #paint(step: Step): (text: string) => string {
    if (step.completed === undefined) return same;
    if (isCanceled(step)) return this.#style.cancel;
    return step.error === undefined ? this.#style.run : this.#style.error;
  }
}

const same = (text: string): string => text;

function verdict(step: Step): string {
  if (step.completed === undefined) return "";
  if (isCanceled(step)) return "CANCELED ";
  if (step.error !== undefined) return "ERROR ";
  return step.cached ? "CACHED " : "";
}

/** Drops the oldest rows of the lowest rank until the rest has room. */
function fit(rows: readonly Row[], room: number): readonly Row[] {
  let kept = rows;
  for (const rank of [0, 1, 2, 3] as const) {
    let excess = kept.length - Math.max(1, room);
    if (excess <= 0) break;
    kept = kept.filter((row) => row.rank !== rank || excess-- <= 0);
  }
  return kept;
}

function draw(row: Row, width: number): string {
  const right = row.right === "" ? "" : ` ${row.right}`;
  const left = cut(row.left, Math.max(1, width - displayWidth(right)));
  const gap = right === "" ? "" : " ".repeat(Math.max(0, width - displayWidth(left) - displayWidth(right)));
  return row.paint(left + gap + right);
}
