import { digestOf } from "../../store/oci/digest.ts";
import type { MkdirOp } from "../graph/opspec.ts";
import type { Vertex } from "../graph/vertex.ts";
import type { Op } from "../solve/op.ts";
import { Copier } from "../inputs/files/copier.ts";
import { resolveInRoot } from "../inputs/files/resolve.ts";
import { commitLayer } from "./layer.ts";
import { ownerOf } from "./owner.ts";
import { openWritable } from "./writable.ts";

/** WORKDIR. */
export function mkdirOp(op: MkdirOp): Op {
  return {
    recorded: true,
    async key(_vertex, inputs) {
      const [base = ""] = inputs;
      return { key: digestOf(JSON.stringify([op, base])), inputs: () => ({ base, path: op.path, user: op.user }) };
    },
    async exec(_vertex: Vertex, [base], context) {
      await using active = context.store.snapshots.prepare(base?.snapshot);
      {
        using target = openWritable(active);
        // As with BuildKit: a user who comes later, or is only known where the image runs, is no error here.
        const owner = op.user === "" ? undefined : ownerOf(op.user, base, context, "root");
        const copier = new Copier(target, {
          owner,
          mode: undefined,
          createdTime: BigInt(op.epoch ?? 0) * 1_000_000_000n,
          signal: context.signal,
        });
        copier.makeDirs(resolveInRoot(target, op.path));
        copier.finish();
      }
      return await commitLayer(active, base, { ...context, epoch: op.epoch });
    },
  };
}
