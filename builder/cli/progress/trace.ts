import { TextDecoder } from "node:util";
import type { BuildEvent, BuildWarning, VertexInfo } from "../../events.ts";
import type { MissCause } from "../../solve/causes.ts";

/** One thing that progress shows: a vertex, or the vertices of one progress group. Times in ms since the epoch. */
export interface Step {
  readonly name: string;
  readonly members: Set<string>;
  readonly finished: Set<string>;
  started: number | undefined;
  completed: number | undefined;
  cached: boolean;
  error: string | undefined;
  readonly statuses: Map<string, Status>;
  /** The last lines of the program, with the seconds since the start; partial lines are held back. */
  readonly tail: string[];
  readonly partial: Map<1 | 2, PartialLine>;
  misses: readonly string[];
  /** Which step of the Dockerfile, and why it ran; nothing for the builder's own work. */
  slot: string;
  causes: readonly MissCause[];
  readonly warnings: BuildWarning[];
}

export interface Status {
  readonly id: string;
  readonly current: number;
  readonly total: number;
  readonly started: number;
  readonly time: number;
  readonly completed: number | undefined;
}

interface PartialLine {
  text: string;
  readonly decoder: TextDecoder;
}

type Of<K extends BuildEvent["kind"]> = Extract<BuildEvent, { readonly kind: K }>;

const tailLength = 40;
const longestLine = 1 << 16;

/** The state of a build as its events tell it. Steps are in the order in which they were announced. */
export class Trace {
  readonly steps: Step[] = [];
  readonly warnings: BuildWarning[] = [];
  readonly #byKey = new Map<string, Step>();

  step(digest: string): Step | undefined {
    return this.#byKey.get(digest);
  }

  vertex(vertex: VertexInfo): Step {
    const known = this.#byKey.get(vertex.digest);
    if (known !== undefined) return known;
    const group = vertex.progressGroup === undefined ? undefined : `group ${vertex.progressGroup}`;
    let step = group === undefined ? undefined : this.#byKey.get(group);
    if (step === undefined) {
      step = newStep(vertex.progressGroup ?? vertex.name);
      this.steps.push(step);
      if (group !== undefined) this.#byKey.set(group, step);
    }
    step.members.add(vertex.digest);
    step.slot = vertex.slot ?? "";
    this.#byKey.set(vertex.digest, step);
    return step;
  }

  started(event: Of<"started">): Step | undefined {
    const step = this.#byKey.get(event.digest);
    if (step !== undefined) step.started ??= event.time;
    return step;
  }

  /** The step is `completed` when its last member is. */
  completed(event: Of<"completed">): Step | undefined {
    const step = this.#byKey.get(event.digest);
    if (step === undefined) return undefined;
    step.finished.add(event.digest);
    step.error ??= event.error;
    step.cached = event.cached && (step.finished.size === 1 || step.cached);
    if (step.finished.size >= step.members.size || event.error !== undefined) step.completed = event.time;
    return step;
  }

  /** Whole lines that the data completes, formatted `0.213 text`. */
  log(event: Of<"log">): readonly string[] {
    const step = this.#byKey.get(event.digest);
    if (step === undefined) return [];
    let partial = step.partial.get(event.stream);
    if (partial === undefined) step.partial.set(event.stream, (partial = { text: "", decoder: new TextDecoder() }));
    const text = partial.text + partial.decoder.decode(event.data, { stream: true });
    const parts = text.split("\n");
    partial.text = parts.pop() ?? "";
    if (partial.text.length > longestLine) parts.push(partial.text.slice(0, longestLine), (partial.text = ""));
    return this.#lines(step, parts, event.time);
  }

  /** What a program wrote last without a newline. */
  rest(step: Step, time: number): readonly string[] {
    const parts = [...step.partial.values()].map((partial) => partial.text).filter((text) => text !== "");
    step.partial.clear();
    return this.#lines(step, parts, time);
  }

  /** The step that is warned of, if it is one. */
  warning(event: Of<"warning">): Step | undefined {
    this.warnings.push(event);
    const step = event.digest === undefined ? undefined : this.#byKey.get(event.digest);
    step?.warnings.push(event);
    return step;
  }

  status(event: Of<"status">): { readonly step: Step; readonly status: Status } | undefined {
    const step = this.#byKey.get(event.digest);
    if (step === undefined) return undefined;
    const { id, current, total, started, time, completed } = event;
    const status = { id, current, total, started, time, completed };
    step.statuses.set(id, status);
    return { step, status };
  }

  miss(event: Of<"miss">): Step | undefined {
    const step = this.#byKey.get(event.digest);
    if (step !== undefined) {
      step.misses = event.reasons;
      step.causes = event.causes ?? [];
    }
    return step;
  }

  #lines(step: Step, parts: readonly string[], time: number): readonly string[] {
    const seconds = Math.max(0, time - (step.started ?? time)) / 1000;
    const stamp = seconds.toFixed(seconds < 10 ? 3 : seconds < 100 ? 2 : 1);
    const lines = parts.map((part) => `${stamp} ${part.endsWith("\r") ? part.slice(0, -1) : part}`);
    step.tail.push(...lines.slice(-tailLength));
    if (step.tail.length > tailLength) step.tail.splice(0, step.tail.length - tailLength);
    return lines;
  }
}

function newStep(name: string): Step {
  return {
    name,
    members: new Set(),
    finished: new Set(),
    started: undefined,
    completed: undefined,
    cached: false,
    error: undefined,
    statuses: new Map(),
    tail: [],
    partial: new Map(),
    misses: [],
    slot: "",
    causes: [],
    warnings: [],
  };
}

/** Whether the step ended because another one failed, or the user stopped the build. */
export function isCanceled(step: Step): boolean {
  return step.error !== undefined && /(?:^|: )(?:context )?cancell?ed$/i.test(step.error);
}
