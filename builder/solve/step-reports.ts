import type { ProgressSink } from "../graph/events.ts";
import type { Vertex } from "../graph/vertex.ts";
import { VertexEvents } from "../graph/vertex-events.ts";
import { causeText, type MissCause } from "../graph/causes.ts";
import { now } from "../../native/clock.ts";
import type { Op } from "./op.ts";

/** Tells what becomes of the steps of one build, and counts those that make or could have made a layer. */
export class StepReports {
  readonly #emit: ProgressSink;
  #cached = 0;
  #ran = 0;

  constructor(emit: ProgressSink) {
    this.#emit = emit;
  }

  get counts(): { readonly total: number; readonly cached: number } {
    return { total: this.#cached + this.#ran, cached: this.#cached };
  }

  /** The events of a step, which go nowhere when its source speaks for it. */
  events(vertex: Vertex, { silent }: Pick<Op, "silent">): VertexEvents {
    const { digest, name, inputs, location } = vertex;
    const slot = vertex.op.kind === "context" ? {} : { slot: vertex.slot };
    const line = location === undefined ? {} : { line: location.start.line };
    const info = { digest, name, inputs: inputs.map((input) => input.digest), ...slot, ...line };
    return new VertexEvents(silent === true ? () => undefined : this.#emit, info);
  }

  /** The step was taken from the cache. */
  cached(vertex: Vertex, op: Pick<Op, "silent">): void {
    if (op.silent === true) return;
    this.#cached++;
    const events = this.events(vertex, op);
    events.announce();
    events.cached();
  }

  /** The step ran to its end. */
  ran(): void {
    this.#ran++;
  }

  missed(vertex: Vertex, causes: readonly MissCause[]): void {
    this.#emit({ kind: "miss", digest: vertex.digest, time: now(), reasons: causes.map(causeText), causes });
  }
}
