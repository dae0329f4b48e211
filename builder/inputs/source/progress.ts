import type { ProgressSink } from "../../graph/events.ts";
import { VertexEvents } from "../../graph/vertex-events.ts";
import type { Digest } from "../../../store/oci/digest.ts";
import { now } from "../../../native/clock.ts";

/** How a source works for somebody, and what it says meanwhile. */
export interface SourceProgress {
  /** Aborted when nobody waits for it any more. */
  readonly signal: AbortSignal;
  /** Around all that waits for others: announced with its first use. `unchanged` tells that nothing new came. */
  during<T>(act: () => Promise<T>, unchanged: (result: T) => boolean): Promise<T>;
  /** Bytes done of one transfer; `total` 0 is not known. */
  moved(id: string, current: number, total: number): void;
  /** A line that a program said. */
  said(line: string): void;
}

/** Transfers speak so often at most, in milliseconds. */
const pause = 100;

/** Shows a source's work as a vertex of its own. */
export function sourceProgress(
  emit: ProgressSink,
  vertex: { readonly digest: Digest; readonly name: string },
  signal: AbortSignal,
): SourceProgress {
  const { digest, name } = vertex;
  const events = new VertexEvents(emit, { digest, name, inputs: [] });
  const begun = new Map<string, { readonly started: number; last: number }>();
  return {
    signal,
    during: async (act, unchanged) => await events.around(act, unchanged),
    moved(id, current, total) {
      const time = now();
      const since = begun.get(id) ?? { started: time, last: 0 };
      begun.set(id, since);
      const done = total > 0 && current >= total;
      if (time - since.last < pause && !done) return;
      since.last = time;
      const completed = done ? { completed: time } : {};
      emit({ kind: "status", digest, id, time, current, total, started: since.started, ...completed });
    },
    said(line) {
      emit({ kind: "log", digest, time: now(), stream: 2, data: Buffer.from(`${line}\n`) });
    },
  };
}
