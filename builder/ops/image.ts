import { digestOf } from "../../store/oci/digest.ts";
import type { ImageOp } from "../graph/opspec.ts";
import type { Vertex } from "../graph/vertex.ts";
import type { Op } from "../solve/op.ts";
import type { FoundImage, ImageSource } from "../source/images.ts";

/** FROM an image: keyed by its layers, pulled only when a step has to run on it. */
export function imageOp(op: ImageOp, source: ImageSource, image: FoundImage): Op {
  return {
    recorded: false,
    async key() {
      return { key: digestOf(JSON.stringify(["image", op.chain])), inputs: { image: `${op.ref}@${op.manifest}` } };
    },
    async exec(vertex: Vertex, _inputs, context) {
      const started = new Map<string, number>();
      const snapshot = await source.snapshot(image, ({ digest, phase, current, total }) => {
        const time = performance.timeOrigin + performance.now();
        const id = phase === "download" ? digest : `extracting ${digest}`;
        const since = started.get(id) ?? time;
        started.set(id, since);
        const completed = current >= total ? { completed: time } : {};
        context.emit({ kind: "status", digest: vertex.digest, id, time, current, total, started: since, ...completed });
      });
      const identity = snapshot === undefined ? undefined : context.store.snapshots.identity(snapshot);
      return { snapshot, identity: Promise.resolve(identity) };
    },
  };
}
