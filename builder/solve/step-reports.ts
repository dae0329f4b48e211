import type { ProgressSink } from "../graph/events.ts";
import type { Vertex } from "../graph/vertex.ts";
import { causeText, type MissCause } from "../graph/causes.ts";
import { now } from "../../native/clock.ts";

/** Tells what becomes of the steps of one build, and counts those that make or could have made a layer. */
export class StepReports {
  readonly emit: ProgressSink;
  #cached = 0;
  #ran = 0;

  constructor(emit: ProgressSink) {
    this.emit = emit;
  }

  get counts(): { readonly total: number; readonly cached: number } {
    return { total: this.#cached + this.#ran, cached: this.#cached };
  }

  announce(vertex: Vertex): void {
    const { digest, name, inputs, location } = vertex;
    const slot = vertex.op.kind === "context" ? {} : { slot: vertex.slot };
    const line = location === undefined ? {} : { line: location.start.line };
    this.emit({
      kind: "vertex",
      vertex: { digest, name, inputs: inputs.map((input) => input.digest), ...slot, ...line },
      time: now(),
    });
  }

  /** The step was taken from the cache. */
  cached(vertex: Vertex): void {
    this.#cached++;
    this.announce(vertex);
    this.emit({ kind: "completed", digest: vertex.digest, time: now(), cached: true });
  }

  /** The step ran to its end. */
  ran(): void {
    this.#ran++;
  }

  missed(vertex: Vertex, causes: readonly MissCause[]): void {
    this.emit({ kind: "miss", digest: vertex.digest, time: now(), reasons: causes.map(causeText), causes });
  }
}
