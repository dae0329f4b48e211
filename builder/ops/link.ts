import { digestOf, extendChain } from "../../store/oci/digest.ts";
import type { SnapshotIdentity } from "../../store/snapshot/snapshotter.ts";
import type { Op } from "../solve/op.ts";
import type { SolvedStep } from "../solve/step.ts";

/**
 * COPY --link: stacks a layer that was made over nothing. The layer's own key knows no base, so that it stays in the
 * cache whatever changes below it; to stack it anew costs one record.
 */
export const linkOp: Op = {
  recorded: true,
  silent: true,
  async key(_vertex, inputs) {
    const [base = "", layer = ""] = inputs;
    return { key: digestOf(JSON.stringify(["link", base, layer])), inputs: () => ({ base, "linked layer": layer }) };
  },
  async exec(_vertex, [base, layer], context) {
    const below = base?.snapshot;
    const above = layer?.snapshot;
    if (above === undefined) return { snapshot: below, identity: base?.identity ?? Promise.resolve(undefined) };
    if (below === undefined) return { snapshot: above, identity: layer?.identity ?? Promise.resolve(undefined) };
    return { snapshot: context.store.snapshots.link(below, above), identity: identify(base, layer) };
  },
};

async function identify(
  base: SolvedStep | undefined,
  layer: SolvedStep | undefined,
): Promise<SnapshotIdentity | undefined> {
  const [below, own] = await Promise.all([base?.identity, layer?.identity]);
  return own === undefined ? undefined : { ...own, chainID: extendChain(below?.chainID, own.diffID) };
}
