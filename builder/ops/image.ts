import { digestOf } from "../../store/oci/digest.ts";
import type { NamedImage } from "../../store/oci/image.ts";
import { layerStatus } from "../graph/image-progress.ts";
import type { ImageOp } from "../graph/opspec.ts";
import type { Vertex } from "../graph/vertex.ts";
import type { Op } from "../solve/op.ts";
import type { ImageSource } from "../inputs/source/image/images.ts";

/** FROM an image: keyed by its layers, pulled only when a step has to run on it. */
export function imageOp(op: ImageOp, source: ImageSource, image: NamedImage): Op {
  return {
    recorded: false,
    async key() {
      return {
        key: digestOf(JSON.stringify(["image", op.chain])),
        inputs: () => ({ image: `${op.ref}@${op.manifest}` }),
      };
    },
    async exec(vertex: Vertex, _inputs, context) {
      const started = new Map<string, number>();
      const snapshot = await source.snapshot(image, (move) => context.emit(layerStatus(vertex.digest, started, move)));
      const identity = snapshot === undefined ? undefined : context.store.snapshots.identity(snapshot);
      return { snapshot, identity: Promise.resolve(identity) };
    },
  };
}
