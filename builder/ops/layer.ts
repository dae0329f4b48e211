import { identifyLayer } from "../../store/layer/finish.ts";
import { extendChain } from "../../store/oci/digest.ts";
import {
  lowerDirs,
  type ActiveSnapshot,
  type Snapshot,
  type SnapshotIdentity,
} from "../../store/snapshot/snapshotter.ts";
import type { SolvedStep } from "../solve/step.ts";
import type { StepResult } from "../solve/op.ts";

/** Options of a layer's tar: `epoch` (seconds since 1970) clamps times. */
export interface LayerOptions {
  readonly epoch?: number | undefined;
}

/**
 * Turns what a step wrote into a committed snapshot at once; its DiffID is computed beside the steps that follow.
 */
export function commitLayer(active: ActiveSnapshot, base: SolvedStep | undefined, options: LayerOptions): StepResult {
  const snapshot = active.commit();
  return { snapshot, identity: identify(snapshot, base, options) };
}

async function identify(
  snapshot: Snapshot,
  base: SolvedStep | undefined,
  options: LayerOptions,
): Promise<SnapshotIdentity> {
  const { epoch } = options;
  const layer = identifyLayer({
    directory: snapshot.dir,
    lowers: lowerDirs(snapshot.parent),
    ...(epoch === undefined ? {} : { epoch: BigInt(epoch) * 1_000_000_000n }),
  });
  const below = await base?.identity;
  return { diffID: layer.diffID, size: layer.size, chainID: extendChain(below?.chainID, layer.diffID) };
}
