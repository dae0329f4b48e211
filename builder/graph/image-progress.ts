import { digestOf, type Digest } from "../../store/oci/digest.ts";
import type { ProgressSink } from "./events.ts";
import { VertexEvents } from "./vertex-events.ts";
import { now } from "../../native/clock.ts";

/** Bytes of one layer on its way. */
export interface LayerMove {
  readonly digest: Digest;
  readonly phase: "download" | "unpack" | "upload";
  readonly current: number;
  readonly total: number;
}

/** The moving of an image as one vertex, each layer as a status of it. */
export interface ImageProgress {
  readonly layer: (move: LayerMove) => void;
  around<T>(act: () => Promise<T>): Promise<T>;
}

const idOf: Readonly<Record<LayerMove["phase"], (digest: Digest) => string>> = {
  download: (digest) => digest,
  unpack: (digest) => `extracting ${digest}`,
  upload: (digest) => `pushing ${digest}`,
};

/** `name` is what progress shows; without a sink nothing is said. */
export function imageProgress(emit: ProgressSink | undefined, name: string): ImageProgress {
  const digest = digestOf(name);
  const started = new Map<string, number>();
  if (emit === undefined) return { layer: () => undefined, around: async (act) => await act() };
  const events = new VertexEvents(emit, { digest, name, inputs: [] });
  return {
    layer: (move) => emit(layerStatus(digest, started, move)),
    around: async (act) => await events.around(act),
  };
}

/** The status event of a layer's progress; `started` remembers when each began. */
export function layerStatus(
  vertex: Digest,
  started: Map<string, number>,
  { digest, phase, current, total }: LayerMove,
): Parameters<ProgressSink>[0] {
  const time = now();
  const id = idOf[phase](digest);
  const since = started.get(id) ?? time;
  started.set(id, since);
  const completed = current >= total ? { completed: time } : {};
  return { kind: "status", digest: vertex, id, time, current, total, started: since, ...completed };
}
