import type { BuildEvent, BuildWarning, VertexInfo } from "../../graph/events.ts";
import type { MissCause } from "../../graph/causes.ts";
import { type TerminalLine, TerminalLines } from "../../base/terminal-lines.ts";

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
  /** The last lines of the program, with the seconds since the start, and of lines written over one another the last. */
  readonly tail: string[];
  /** The next line is written over the last one of the tail. */
  returned: boolean;
  readonly output: Map<1 | 2, TerminalLines>;
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

type Of<K extends BuildEvent["kind"]> = Extract<BuildEvent, { readonly kind: K }>;

const tailLength = 40;

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

  /** Lines that the data completes, formatted `0.213 text`, and safe on a terminal. */
  log(event: Of<"log">): readonly string[] {
    const step = this.#byKey.get(event.digest);
    if (step === undefined) return [];
    let output = step.output.get(event.stream);
    if (output === undefined) step.output.set(event.stream, (output = new TerminalLines()));
    return this.#lines(step, output.push(event.data), event.time);
  }

  /** What a program wrote last without a newline. */
  rest(step: Step, time: number): readonly string[] {
    const parts = [...step.output.values()].map((output) => output.end()).filter((text) => text !== "");
    step.output.clear();
    return this.#lines(
      step,
      parts.map((text) => ({ text, returned: false })),
      time,
    );
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

  #lines(step: Step, parts: readonly TerminalLine[], time: number): readonly string[] {
    const seconds = Math.max(0, time - (step.started ?? time)) / 1000;
    const stamp = seconds.toFixed(seconds < 10 ? 3 : seconds < 100 ? 2 : 1);
    return parts.map(({ text, returned }) => {
      const line = `${stamp} ${text}`;
      if (step.returned) step.tail.pop();
      else if (step.tail.length === tailLength) step.tail.shift();
      step.tail.push(line);
      step.returned = returned;
      return line;
    });
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
    returned: false,
    output: new Map(),
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
