import { diffLayer } from "../../store/layer/diff.ts";
import { hashLayer } from "../../store/layer/pack.ts";
import type { Change } from "../../store/layer/change.ts";
import { extendChain } from "../../store/oci/digest.ts";
import {
  lowerDirs,
  type ActiveSnapshot,
  type Snapshot,
  type SnapshotIdentity,
} from "../../store/snapshot/snapshotter.ts";
import type { StepResult } from "../solve/op.ts";
import type { SolvedStep } from "../solve/step.ts";

/** Options of a layer's tar: `epoch` (seconds since 1970) clamps times. */
export interface LayerOptions {
  readonly epoch?: number | undefined;
}

/**
 * Turns what a step wrote into a committed snapshot at once; its DiffID is computed beside the steps that follow.
 * A step that changed nothing has the result of the one before it.
 */
export function commitLayer(active: ActiveSnapshot, base: SolvedStep | undefined, options: LayerOptions): StepResult {
  const changes = diffLayer(active.upper, lowerDirs(active.parent));
  if (changes.length === 0) {
    return { snapshot: base?.snapshot, identity: base?.identity ?? Promise.resolve(undefined) };
  }
  const snapshot = active.commit();
  return { snapshot, identity: identify(snapshot, changes, base, options) };
}

async function identify(
  snapshot: Snapshot,
  changes: readonly Change[],
  base: SolvedStep | undefined,
  { epoch }: LayerOptions,
): Promise<SnapshotIdentity> {
  const limit = epoch === undefined ? {} : { epoch: BigInt(epoch) * 1_000_000_000n };
  const layer = hashLayer(snapshot.dir, changes, limit);
  const below = await base?.identity;
  return { ...limit, diffID: layer.diffID, size: layer.size, chainID: extendChain(below?.chainID, layer.diffID) };
}
