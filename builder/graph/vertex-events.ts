import { now } from "../../native/clock.ts";
import { errorMessage } from "../../native/errors.ts";
import type { ProgressSink, VertexInfo } from "./events.ts";

/** Why a vertex ended whose work nobody waits for any more. */
export const canceled = "canceled";

/** What becomes of one vertex: all events that announce, begin and end one are made here. */
export class VertexEvents {
  readonly #emit: ProgressSink;
  readonly #vertex: VertexInfo;

  constructor(emit: ProgressSink, vertex: VertexInfo) {
    this.#emit = emit;
    this.#vertex = vertex;
  }

  announce(time: number = now()): void {
    this.#emit({ kind: "vertex", vertex: this.#vertex, time });
  }

  started(time: number = now()): void {
    this.#emit({ kind: "started", digest: this.#vertex.digest, time });
  }

  completed(): void {
    this.#completed({ cached: false });
  }

  /** Nothing new was made. */
  cached(): void {
    this.#completed({ cached: true });
  }

  /** `error`: the message of the failure, or `canceled`. */
  failed(error: string): void {
    this.#completed({ cached: false, error });
  }

  /** From the announcement to the end of `act`. `unchanged` says of its result that nothing new came. */
  async around<T>(act: () => Promise<T>, unchanged?: (result: T) => boolean): Promise<T> {
    this.announce();
    this.started();
    try {
      const result = await act();
      this.#completed({ cached: unchanged?.(result) ?? false });
      return result;
    } catch (error) {
      this.failed(errorMessage(error));
      throw error;
    }
  }

  #completed(how: { readonly cached: boolean; readonly error?: string }): void {
    this.#emit({ kind: "completed", digest: this.#vertex.digest, time: now(), ...how });
  }
}
