import { digestOf } from "../../store/oci/digest.ts";
import type { ProgressSink } from "../graph/events.ts";
import { VertexEvents } from "../graph/vertex-events.ts";
import { now } from "../../native/clock.ts";
import type { SolvedStep } from "./step.ts";

/** A wait is told of when it has lasted so long, in milliseconds, and then as often. */
const patience = 500;

/** Tells of layers that are waited for, with what of each is hashed, for as long as the work that waits for them goes on. */
export async function telling(steps: readonly SolvedStep[], emit: ProgressSink, work: Promise<void>): Promise<void> {
  if (steps.length === 0) return await work;
  const name = "committing layers";
  const digest = digestOf(name);
  const layers = steps.map((step) => new WaitedLayer(step));
  const inputs = steps.map(({ vertex }) => vertex.digest);
  const events = new VertexEvents(emit, { digest, name, inputs });
  let shown = false;
  const tell = (): void => {
    const time = now();
    if (!shown) {
      events.announce(time);
      events.started(time);
    }
    shown = true;
    for (const layer of layers) if (layer.changed()) emit({ kind: "status", digest, ...layer.status(), time });
  };
  const timer = setInterval(tell, patience);
  try {
    await work;
  } finally {
    clearInterval(timer);
    if (shown) {
      tell();
      events.completed();
    }
  }
}

class WaitedLayer {
  readonly #step: SolvedStep;
  readonly #started = now();
  #completed: number | undefined;
  #told = false;

  constructor(step: SolvedStep) {
    this.#step = step;
    const end = (): void => {
      this.#completed = now();
    };
    step.identity.then(end, end);
  }

  /** Whether there is anything new to tell. */
  changed(): boolean {
    return !this.#told;
  }

  status(): {
    readonly id: string;
    readonly current: number;
    readonly total: number;
    readonly started: number;
    readonly completed?: number;
  } {
    const { vertex, progress } = this.#step;
    const { current, total } = progress?.() ?? { current: 0, total: 0 };
    const completed = this.#completed;
    this.#told = completed !== undefined;
    const id = `layer of ${vertex.name}`;
    const done = completed === undefined ? { current } : { current: total, completed };
    return { id, total, started: this.#started, ...done };
  }
}
