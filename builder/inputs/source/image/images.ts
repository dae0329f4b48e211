import {
  RegistryClient,
  RegistryError,
  pullLayers,
  resolveImage,
  type RegistryOptions,
} from "../../../../registry/index.ts";
import { TsbuildError } from "../../../../native/errors.ts";
import { Root } from "../../../../native/path.ts";
import { settleLayer, type Unsettled } from "../../../../store/layer/settle.ts";
import { unpackLayer, type UnpackedLayer } from "../../../../store/layer/unpack.ts";
import {
  asDiffID,
  chainID,
  extendChain,
  type ChainID,
  type Digest,
  type DiffID,
} from "../../../../store/oci/digest.ts";
import type { Descriptor } from "../../../../store/oci/descriptor.ts";
import { checkDiffs, contentLayers } from "../../../../store/image/check-diffs.ts";
import { danglingPrefix, isMissing, loadStored, nameOf } from "../../../../store/image/stored.ts";
import { targetOf, type NamedImage } from "../../../../store/oci/image.ts";
import type { Platform } from "../../../../store/oci/platform.ts";
import {
  familiarName,
  formatReference,
  parseReference,
  refuseTransport,
  type Reference,
} from "../../../../store/oci/reference.ts";
import { lowerDirs, type ActiveSnapshot, type Snapshot } from "../../../../store/snapshot/snapshotter.ts";
import type { Store } from "../../../../store/store.ts";
import { suggest } from "../../../base/suggest.ts";
import type { LayerMove } from "../../../graph/image-progress.ts";
import type { PullPolicy } from "./pull-policy.ts";
import type { Owner, Workers } from "../../../solve/worker/task.ts";

interface MissingLayer {
  readonly layer: Descriptor;
  readonly diffID: DiffID;
}

interface UnpackedSnapshot {
  readonly active: ActiveSnapshot;
  readonly unpacked: UnpackedLayer;
}

/** Bytes of a blob from which on it is unpacked on another thread. */
const worthAThread = 4 << 20;

/** Finds images in the store and in registries and makes snapshots of them. One for a build, a pull or a run. */
export class ImageSource implements AsyncDisposable {
  readonly #store: Store;
  readonly #policy: PullPolicy;
  readonly #client: RegistryClient;
  readonly #workers: Workers;
  readonly #owner: Owner | undefined;
  readonly #signal: AbortSignal;

  constructor(options: {
    readonly store: Store;
    readonly policy: PullPolicy;
    readonly registry: RegistryOptions;
    readonly workers: Workers;
    /** Every file of a layer becomes root's. */
    readonly squashOwners?: boolean | undefined;
    readonly signal: AbortSignal;
  }) {
    this.#store = options.store;
    this.#policy = options.policy;
    this.#workers = options.workers;
    this.#owner = options.squashOwners === true ? { uid: 0, gid: 0 } : undefined;
    this.#client = new RegistryClient(options.registry);
    this.#signal = options.signal;
  }

  /** @throws RegistryError, E_IMAGE_NOT_FOUND, E_PLATFORM_MISSING */
  async find(name: string, platform: Platform): Promise<NamedImage> {
    const reference = parseReference(name);
    const local =
      this.#policy === "always" || this.#policy === "newer" ? undefined : await this.#local(reference, platform);
    if (local !== undefined) return local;
    refuseTransport(name);
    if (this.#policy === "never") {
      const near = this.#near(reference);
      throw new TsbuildError(`Cannot use ${formatReference(reference)}: it is not in the store, and pulling is off`, {
        code: "E_IMAGE_NOT_FOUND",
        hint: near === undefined ? "leave out --pull=never" : `did you mean ${near}?`,
      });
    }
    try {
      return await this.#remote(reference, platform);
    } catch (error) {
      if (!(error instanceof RegistryError) || error.code !== "E_REGISTRY_UNREACHABLE") throw error;
      const known = await this.#local(reference, platform);
      if (known !== undefined && this.#policy === "newer") return known;
      throw error.with([], this.#offlineAdvice(error, reference, known !== undefined));
    }
  }

  /** What may be done without the registry comes first. */
  #offlineAdvice(error: RegistryError, reference: Reference, known: boolean): string | undefined {
    const near = known ? undefined : this.#near(reference);
    const first = known
      ? "an older copy is in the store: --pull=never"
      : near === undefined
        ? undefined
        : `did you mean ${near}, which is in the store?`;
    return first === undefined ? error.hint : `${first}\n${error.hint ?? ""}`;
  }

  /** A name in the store that was probably meant. */
  #near(reference: Reference): string | undefined {
    const names = this.#store.refs.list().flatMap(({ name }) => (name.startsWith(danglingPrefix) ? [] : [name]));
    const bare = (name: string): string => familiarName(name).replace(/:latest$/, "");
    return suggest(bare(formatReference(reference)), names.map(bare));
  }

  /**
   * The image's file system; what is missing of it is pulled and unpacked. undefined: it has no layers. `blobs`: those
   * of layers that are unpacked already are brought too, as `pull` does. One with the name of a registry has it in the
   * store then, when all of it is there.
   */
  async snapshot(
    image: NamedImage,
    onProgress?: (progress: LayerMove) => void,
    { blobs = false }: { readonly blobs?: boolean } = {},
  ): Promise<Snapshot | undefined> {
    const snapshot = await this.unpack(image, onProgress);
    if (blobs) await this.#bringBlobs(image, onProgress);
    const isMeant = this.#policy !== "missing" || this.#store.refs.get(image.name) === undefined;
    if (nameOf(image.name) !== undefined && isMeant && (await this.#complete(image)))
      this.#store.refs.set(image.name, targetOf(image));
    return snapshot;
  }

  /** As snapshot(); the store gets no name for it. */
  async unpack(image: NamedImage, onProgress?: (progress: LayerMove) => void): Promise<Snapshot | undefined> {
    const diffs = image.config.value.rootfs.diff_ids;
    const { layers } = image.manifest.value;
    if (layers.length !== diffs.length) {
      throw new TsbuildError(`Cannot use ${image.name}: it has ${layers.length} layers and ${diffs.length} diff_ids`, {
        code: "E_MANIFEST_INVALID",
      });
    }
    const chain = chainID(diffs);
    if (chain === undefined) return undefined;
    if (this.#store.snapshots.find(chain) === undefined) await this.#materialize(image, onProgress);
    return this.#store.snapshots.find(chain);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }

  /** The blobs of layers that were unpacked already; nobody has compared these with the config yet. */
  async #bringBlobs(image: NamedImage, onProgress: ((progress: LayerMove) => void) | undefined): Promise<void> {
    const { content } = this.#store;
    const absent: MissingLayer[] = [];
    for (const [at, layer] of image.manifest.value.layers.entries()) {
      const diffID = image.config.value.rootfs.diff_ids[at];
      if (diffID !== undefined && (await content.stat(layer.digest)) === undefined) absent.push({ layer, diffID });
    }
    const layers = absent.map(({ layer }) => layer);
    await this.#download(image, layers, onProgress);
    const check = { act: `pull ${image.name}`, known: new Map(), signal: this.#signal };
    await checkDiffs(contentLayers(content), { layers, diffs: absent.map(({ diffID }) => diffID) }, check);
  }

  async #complete(image: NamedImage): Promise<boolean> {
    for (const layer of image.manifest.value.layers)
      if ((await this.#store.content.stat(layer.digest)) === undefined) return false;
    return true;
  }

  async #materialize(image: NamedImage, onProgress: ((progress: LayerMove) => void) | undefined): Promise<void> {
    const diffs = image.config.value.rootfs.diff_ids;
    const steps = image.manifest.value.layers.map((layer, at) => ({
      layer,
      diffID: diffs[at] ?? asDiffID(layer.digest),
    }));
    let parent: Snapshot | undefined;
    let chain: ChainID | undefined;
    // The topmost part that is there already stands under what has to be made.
    const missing = [...steps];
    for (const { diffID } of steps) {
      const next = extendChain(chain, diffID);
      const known = this.#store.snapshots.find(next);
      if (known === undefined) break;
      parent = known;
      chain = next;
      missing.shift();
    }
    const made = await this.#unpackAll(image, missing, onProgress);
    const done = made.map(({ active, unpacked: { ownRoot, unsettled, ...layer } }) => {
      settle(active, parent, unsettled);
      const snapshot = active.commitOver(parent, { ownRoot });
      parent = snapshot;
      chain = extendChain(chain, layer.diffID);
      return { snapshot, identity: { ...layer, chainID: chain } };
    });
    await this.#store.snapshots.persist(done);
  }

  /** Downloads the layers and unpacks each as soon as it is there, side by side: none needs what is below it. */
  async #unpackAll(
    image: NamedImage,
    layers: readonly MissingLayer[],
    onProgress: ((progress: LayerMove) => void) | undefined,
  ): Promise<readonly UnpackedSnapshot[]> {
    await using stack = new AsyncDisposableStack();
    const abort = new AbortController();
    const signal = AbortSignal.any([this.#signal, abort.signal]);
    const places = layers.map((layer) => ({ ...layer, active: stack.use(this.#store.snapshots.prepare(undefined)) }));
    const unpacking = new Map<Digest, Promise<UnpackedSnapshot>[]>();
    try {
      await this.#download(
        image,
        layers.map(({ layer }) => layer),
        onProgress,
        async ({ digest }) => {
          const started = places
            .filter(({ layer }) => layer.digest === digest)
            .map(async (place) => ({ active: place.active, unpacked: await this.#unpack(place, signal, onProgress) }));
          for (const one of started) one.catch((error: unknown) => abort.abort(error));
          unpacking.set(digest, started);
        },
        signal,
      );
      const made = await Promise.all([...unpacking.values()].flat());
      // In the order of the image; they are the caller's to commit.
      const ordered = places.flatMap(({ active }) => made.find((one) => one.active === active) ?? []);
      stack.move();
      return ordered;
    } finally {
      await Promise.allSettled([...unpacking.values()].flat());
    }
  }

  /** Where unpacking fails because the blob in the store is damaged, that is told, and the blob is gone. */
  async #unpack(
    place: MissingLayer & { readonly active: ActiveSnapshot },
    signal: AbortSignal,
    onProgress: ((progress: LayerMove) => void) | undefined,
  ): Promise<UnpackedLayer> {
    try {
      return await this.#unpackBlob(place, signal, onProgress);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof TsbuildError) || !/^E_(?:COMPRESSION|TAR_|LAYER_)/.test(error.code)) throw error;
      for await (const chunk of this.#store.content.fetch(place.layer, { signal })) void chunk;
      throw error;
    }
  }

  async #unpackBlob(
    { layer, diffID, active }: MissingLayer & { readonly active: ActiveSnapshot },
    signal: AbortSignal,
    onProgress: ((progress: LayerMove) => void) | undefined,
  ): Promise<UnpackedLayer> {
    const { digest, size: total } = layer;
    const progress = (current: number): void => onProgress?.({ digest, phase: "unpack", current, total });
    if (total >= worthAThread) {
      const place = { content: this.#store.root, layer, directory: active.upper, diffID, owner: this.#owner };
      return await this.#workers.run("unpack", place, { signal, onProgress: progress });
    }
    const bytes = this.#store.content.fetch(layer, { signal, onProgress: progress });
    using root = Root.open(active.upper);
    return await unpackLayer(bytes, root, { form: "overlay", expected: diffID, owner: this.#owner, signal });
  }

  async #download(
    image: NamedImage,
    layers: readonly Descriptor[],
    onProgress: ((progress: LayerMove) => void) | undefined,
    onLayer?: (layer: Descriptor) => Promise<void>,
    signal: AbortSignal = this.#signal,
  ): Promise<void> {
    await pullLayers(this.#client, this.#store.content, {
      reference: parseReference(nameOf(image.name) ?? "none"),
      layers,
      signal,
      ...(onProgress === undefined ? {} : { onProgress: (one) => onProgress({ ...one, phase: "download" }) }),
      ...(onLayer === undefined ? {} : { onLayer }),
    });
  }

  /** A document that turns out to be damaged in the store is gone then, and comes anew the second time. */
  async #remote(reference: Reference, platform: Platform): Promise<NamedImage> {
    try {
      return await this.#resolve(reference, platform);
    } catch (error) {
      if (!isMissing(error)) throw error;
      return await this.#resolve(reference, platform);
    }
  }

  async #resolve(reference: Reference, platform: Platform): Promise<NamedImage> {
    const request = { reference, platform, signal: this.#signal };
    const image = await resolveImage(this.#client, this.#store.content, request);
    return { name: formatReference(reference), ...image };
  }

  async #local(reference: Reference, platform: Platform): Promise<NamedImage | undefined> {
    const ref = this.#store.refs.get(formatReference(reference));
    return ref === undefined ? undefined : await loadStored(this.#store, ref, platform);
  }
}

function settle(active: ActiveSnapshot, parent: Snapshot | undefined, unsettled: Unsettled): void {
  using stack = new DisposableStack();
  const open = (directory: string): Root => stack.use(Root.open(directory));
  settleLayer(open(active.upper), lowerDirs(parent).map(open), unsettled);
}
