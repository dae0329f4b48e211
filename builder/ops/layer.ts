import { diffLayer } from "../../store/layer/diff.ts";
import { hashLayer } from "../../store/layer/pack.ts";
import { requireStorable } from "../../store/layer/storable.ts";
import type { Change } from "../../store/layer/change.ts";
import { extendChain } from "../../store/oci/digest.ts";
import { lowerDirs, type ActiveSnapshot, type SnapshotIdentity } from "../../store/snapshot/snapshotter.ts";
import type { OpContext, StepResult } from "../solve/op.ts";
import type { SolvedStep } from "../solve/step.ts";
import type { ByteProgress, LayerPlace, NamedLayer } from "../solve/worker/task.ts";

/** What a layer is made with: `epoch` (seconds since 1970) clamps the times of its tar. */
export interface LayerOptions extends Pick<OpContext, "workers" | "signal"> {
  readonly epoch?: number | undefined;
}

/** Above one of these a layer is compared and hashed on another thread: starting that costs as much as this here. */
const mostChanges = 2000;
const mostBytes = 32 << 20;

/**
 * Turns what a step wrote into a committed snapshot as soon as it is known that it changes anything; the DiffID of a
 * big layer is computed beside the steps that follow. A step that changed nothing has the result of the one before it.
 * @throws E_LAYER_NAME
 */
export async function commitLayer(
  active: ActiveSnapshot,
  base: SolvedStep | undefined,
  options: LayerOptions,
): Promise<StepResult> {
  const { epoch } = options;
  const limit = epoch === undefined ? {} : { epoch: BigInt(epoch) * 1_000_000_000n };
  const place = { upper: active.upper, lowers: lowerDirs(active.parent), ...limit };
  const { changed, layer, progress } = await sealLayer(place, options);
  if (!(await changed)) {
    return { snapshot: base?.snapshot, identity: base?.identity ?? Promise.resolve(undefined) };
  }
  const identity = identify(layer, base, limit);
  return { snapshot: active.commit(), identity, ...(progress === undefined ? {} : { progress }) };
}

/** Whether the directory changes what it lies over, and then its layer. */
interface Sealing {
  readonly changed: Promise<boolean>;
  readonly layer: Promise<NamedLayer | undefined>;
  readonly progress?: () => ByteProgress;
}

async function sealLayer(place: LayerPlace, { workers, signal }: LayerOptions): Promise<Sealing> {
  const changes = diffLayer(place.upper, place.lowers, { limit: mostChanges });
  if (changes.length <= mostChanges && bytesOf(changes) <= mostBytes) {
    requireStorable(changes);
    const changed = changes.length > 0;
    const layer = changed ? await hashLayer(place.upper, changes, place) : undefined;
    return { changed: Promise.resolve(changed), layer: Promise.resolve(layer) };
  }
  const { promise: changed, resolve, reject } = Promise.withResolvers<boolean>();
  let last: ByteProgress = { current: 0, total: bytesOf(changes) };
  const onProgress = (news: boolean | ByteProgress): void => {
    if (typeof news === "boolean") resolve(news);
    else last = news;
  };
  const layer = workers.run("seal", place, { signal, onProgress });
  layer.catch(reject);
  return { changed, layer, progress: () => last };
}

function bytesOf(changes: readonly Change[]): number {
  return changes.reduce((sum, change) => sum + ("stat" in change ? change.stat.size : 0), 0);
}

async function identify(
  sealing: Promise<NamedLayer | undefined>,
  base: SolvedStep | undefined,
  limit: { readonly epoch?: bigint },
): Promise<SnapshotIdentity | undefined> {
  const [layer, below] = await Promise.all([sealing, base?.identity]);
  if (layer === undefined) return below;
  const { diffID, size } = layer;
  return { ...limit, diffID, size, chainID: extendChain(below?.chainID, diffID) };
}
