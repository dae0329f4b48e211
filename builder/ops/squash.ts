import { Root } from "../../native/path.ts";
import { squashLayers } from "../../store/layer/squash.ts";
import { digestOf } from "../../store/oci/digest.ts";
import { lowerDirs, rootSnapshot, type Snapshot } from "../../store/snapshot/snapshotter.ts";
import type { SquashOp } from "../graph/opspec.ts";
import type { Op } from "../solve/op.ts";
import { commitLayer } from "./layer.ts";

/** --squash: the layers of the result that are not the base's become one. */
export function squashOp(op: SquashOp): Op {
  return {
    recorded: true,
    async key(_vertex, inputs) {
      const [top = "", base = ""] = inputs;
      const epoch: Record<string, string> = op.epoch === undefined ? {} : { SOURCE_DATE_EPOCH: String(op.epoch) };
      return {
        key: digestOf(JSON.stringify([op, top, base])),
        inputs: () => ({ base: top, "layers below": base, ...epoch }),
      };
    },
    async exec(_vertex, [top, base], context) {
      if (top === undefined) throw new RangeError("nothing to squash");
      const below = base?.snapshot;
      const layers = layersAbove(top.snapshot, below);
      if (layers.length < 2) return { snapshot: top.snapshot, identity: top.identity };
      await using active = context.store.snapshots.prepare(below);
      {
        using stack = new DisposableStack();
        const into = stack.use(Root.open(active.upper));
        const dirs = layers.map((dir) => stack.use(Root.open(dir)));
        const under = lowerDirs(below).map((dir) => stack.use(Root.open(dir)));
        squashLayers(dirs, into, under);
        if (top.snapshot !== undefined) keepRoot(into, rootSnapshot(top.snapshot));
      }
      return await commitLayer(active, base, { ...context, epoch: op.epoch });
    },
  };
}

/** Directories of the layers from the top down to the base's, which are not among them. */
function layersAbove(top: Snapshot | undefined, base: Snapshot | undefined): readonly string[] {
  const stack = snapshots(top);
  const dirs = stack.slice(0, stack.length - snapshots(base).length).map(({ dir }) => dir);
  return [...new Set(dirs)];
}

/** A snapshot and all below it. */
function snapshots(top: Snapshot | undefined): readonly Snapshot[] {
  const found: Snapshot[] = [];
  for (let at = top; at !== undefined; at = at.parent) found.push(at);
  return found;
}

/** The metadata of the result's root directory. */
function keepRoot(into: Root, snapshot: Snapshot): void {
  using from = Root.open(snapshot.dir);
  const { uid, gid, mode } = from.statSelf();
  into.chown(".", uid, gid);
  into.chmod(".", mode);
}
