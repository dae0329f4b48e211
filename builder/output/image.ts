import type { BuildPlan } from "../convert/convert.ts";
import type { Squash } from "../convert/squash.ts";
import type { Vertex } from "../graph/vertex.ts";
import type { Solver } from "../solve/solver.ts";
import type { SolvedStep } from "../solve/step.ts";
import type { History, ImageConfig } from "../../store/oci/config.ts";
import type { Descriptor } from "../../store/oci/descriptor.ts";
import type { DiffID } from "../../store/oci/digest.ts";
import { writeDocument } from "../../store/oci/document.ts";
import type { Image, NamedImage } from "../../store/oci/image.ts";
import { MediaType } from "../../store/oci/mediatype.ts";
import { newImage } from "../../store/oci/mutate.ts";
import type { Snapshot } from "../../store/snapshot/snapshotter.ts";
import { setName } from "../../store/image/names.ts";
import { danglingName } from "../../store/image/stored.ts";
import type { Store } from "../../store/store.ts";
import { once } from "../../store/content/once.ts";

/**
 * Makes manifest and config of what a build solved. Layers of the base keep their descriptors; new ones are named by
 * their DiffID and stay uncompressed until they leave the store. `size`: bytes of all layers, uncompressed.
 */
export async function assembleImage(options: {
  readonly store: Store;
  readonly solver: Solver;
  readonly plan: BuildPlan;
  readonly result: SolvedStep;
  readonly base: NamedImage | undefined;
  readonly epoch: number | undefined;
  readonly squash: Squash | undefined;
}): Promise<{ readonly image: Image; readonly size: number }> {
  const { store, plan, result, base, epoch, squash } = options;
  const stack = await layersOf(store, result);
  const baseLayers = squash === "all" ? [] : (base?.manifest.value.layers ?? []);
  const layers = stack.map(
    (one, at): Descriptor => baseLayers[at] ?? { mediaType: MediaType.ociLayer, digest: one.diffID, size: one.size },
  );
  const finished = await finishHistory(options, layers.length - baseLayers.length);
  const history = squash === undefined ? finished : squashHistory(finished, options, layers.length - baseLayers.length);
  const created =
    history.findLast((one) => one.created !== undefined)?.created ??
    base?.config.value.created ??
    timeText(epoch === undefined ? result.created : epoch * 1000);
  const config: ImageConfig = {
    created,
    ...plan.image,
    rootfs: { type: "layers", diff_ids: stack.map(({ diffID }) => diffID) },
    history,
  };
  const image = newImage(writeDocument(MediaType.ociConfig, config), layers.map(ociLayer));
  return { image, size: stack.reduce((sum, one) => sum + one.size, 0) };
}

/** Layers of the result, base first. */
async function layersOf(
  store: Store,
  result: SolvedStep,
): Promise<readonly { readonly diffID: DiffID; readonly size: number }[]> {
  const layers: { diffID: DiffID; size: number }[] = [];
  const identity = await result.identity;
  const recorded = identity === undefined ? undefined : store.snapshots.find(identity.chainID);
  for (let at: Snapshot | undefined = recorded ?? result.snapshot; at !== undefined; at = at.parent) {
    const known = store.snapshots.identity(at);
    if (known === undefined) throw new RangeError(`snapshot ${at.id} has no identity`);
    layers.unshift({ diffID: known.diffID, size: known.size });
  }
  return layers;
}

/** Gives each line its time, and marks those whose step changed nothing as empty. @see BuildKit's normalizeLayersAndHistory */
async function finishHistory(
  options: Parameters<typeof assembleImage>[0],
  newLayers: number,
): Promise<readonly History[]> {
  const { plan, solver, base, epoch } = options;
  const old = base?.config.value.history ?? [];
  const spine = layerSteps(plan.target);
  const known = await Promise.all(
    spine.map(async (vertex) => (await solver.known(vertex)) ?? (await solver.solve(vertex).then(toKnown))),
  );
  const before = base === undefined ? undefined : await baseSnapshot(spine[0], solver);
  const madeLayer = known.map((one, at) => one.snapshotID !== (at === 0 ? before : known[at - 1]?.snapshotID));
  const allMade = newLayers === spine.length;
  let step = 0;
  let time = base?.config.value.created;
  return plan.image.history === undefined
    ? []
    : plan.image.history.map((line, at): History => {
        if (at < old.length) return line;
        if (line.empty_layer === true)
          return { created: fixed(epoch) ?? time ?? timeText(known[0]?.created ?? Date.now()), ...line };
        const { created } = known[step] ?? { created: Date.now() };
        const made = allMade || madeLayer[step] === true;
        step++;
        time = fixed(epoch) ?? timeText(created);
        return { created: time, ...line, ...(made ? {} : { empty_layer: true }) };
      });
}

/** One line alone stands for the squashed layer: the last that made one. The others are kept, as empty. */
function squashHistory(
  lines: readonly History[],
  { base, plan, squash }: Parameters<typeof assembleImage>[0],
  newLayers: number,
): readonly History[] {
  const old = (base?.config.value.history ?? []).length;
  const kept = squash === "all" ? 0 : squash === "stage" ? (plan.below?.history ?? old) : old;
  const last = newLayers === 0 ? -1 : lines.findLastIndex((line) => line.empty_layer !== true);
  return lines.map((line, at) => (at < kept || at === last ? line : { ...line, empty_layer: true }));
}

/** Vertices that make the layers of the target over its base, first to last. */
function layerSteps(target: Vertex): readonly Vertex[] {
  const steps: Vertex[] = [];
  for (let at: Vertex | undefined = target; at !== undefined && "inputs" in at; at = at.inputs[0]) {
    const { kind } = at.op;
    if (kind !== "run" && kind !== "copy" && kind !== "link" && kind !== "mkdir") break;
    steps.unshift(at);
  }
  return steps;
}

async function baseSnapshot(first: Vertex | undefined, solver: Solver): Promise<string | undefined> {
  const base = first?.inputs[0];
  if (base === undefined || base.op.kind === "scratch") return undefined;
  return (await solver.known(base))?.snapshotID;
}

function toKnown(step: SolvedStep): { readonly snapshotID: string | undefined; readonly created: number } {
  return { snapshotID: step.snapshot?.id, created: step.created };
}

function ociLayer(layer: Descriptor): Descriptor {
  const types: Readonly<Record<string, string>> = {
    [MediaType.dockerLayer]: MediaType.ociLayer,
    [MediaType.dockerLayerGzip]: MediaType.ociLayerGzip,
  };
  const { mediaType, digest, size, annotations, urls } = layer;
  return {
    mediaType: types[mediaType] ?? mediaType,
    digest,
    size,
    ...(urls === undefined ? {} : { urls }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

function fixed(epoch: number | undefined): string | undefined {
  return epoch === undefined ? undefined : timeText(epoch * 1000);
}

/** RFC 3339. */
function timeText(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** Stores the documents and points the names to them; the names last. Without names the image stays, dangling. */
export async function storeImage(store: Store, image: Image, names: readonly string[]): Promise<void> {
  await storeDocuments(store, image);
  const target = image.manifest.descriptor;
  if (names.length > 0) for (const name of names) setName(store, name, target);
  else if (!store.refs.list().some((ref) => ref.target.digest === target.digest))
    store.refs.set(danglingName(target), target);
}

/** Stores config and manifest; nothing points to them yet. */
export async function storeDocuments(store: Store, { config, manifest }: Image): Promise<void> {
  for (const { descriptor, bytes } of [config, manifest]) await store.content.push(descriptor, once(bytes));
}
