import { RegistryClient, RegistryError, pullLayers, resolveImage } from "../../registry/index.ts";
import { TsbuildError } from "../../native/errors.ts";
import { Root } from "../../native/path.ts";
import { unpackLayer } from "../../store/layer/unpack.ts";
import { asDiffID, chainID, extendChain, type ChainID, type DiffID } from "../../store/oci/digest.ts";
import type { Descriptor } from "../../store/oci/descriptor.ts";
import { parseConfig } from "../../store/oci/parse.ts";
import { loadStored, type StoredImage } from "../../store/image/stored.ts";
import type { Platform } from "../../store/oci/platform.ts";
import { formatReference, parseReference, type Reference } from "../../store/oci/reference.ts";
import type { Snapshot } from "../../store/snapshot/snapshotter.ts";
import type { Store } from "../../store/store.ts";
import type { LayerMove } from "../image-progress.ts";
import type { PullPolicy, RegistryOptions } from "../options.ts";

/** An image found: its documents are in the content store, its layers perhaps not. `reference`: where they are. */
export interface FoundImage extends StoredImage {
  readonly reference: Reference;
  /** It is only built on: the store gets no name for it. */
  readonly unnamed?: boolean;
}

/** Finds images in the store and in registries and makes snapshots of them. One for a build, a pull or a run. */
export class ImageSource implements AsyncDisposable {
  readonly #store: Store;
  readonly #policy: PullPolicy;
  readonly #client: RegistryClient;
  readonly #signal: AbortSignal;

  constructor(options: {
    readonly store: Store;
    readonly policy: PullPolicy;
    readonly registry: RegistryOptions;
    readonly signal: AbortSignal;
  }) {
    this.#store = options.store;
    this.#policy = options.policy;
    this.#client = new RegistryClient(options.registry);
    this.#signal = options.signal;
  }

  /** @throws RegistryError, E_IMAGE_NOT_FOUND, E_PLATFORM_MISSING */
  async find(name: string, platform: Platform): Promise<FoundImage> {
    const reference = parseReference(name);
    const local =
      this.#policy === "always" || this.#policy === "newer" ? undefined : await this.#local(reference, platform);
    if (local !== undefined) return local;
    if (this.#policy === "never") {
      throw new TsbuildError(`Cannot use ${formatReference(reference)}: it is not in the store, and pulling is off`, {
        code: "E_IMAGE_NOT_FOUND",
        hint: "leave out --pull=never",
      });
    }
    try {
      return await this.#remote(reference, platform);
    } catch (error) {
      const offline = error instanceof RegistryError && error.code === "E_REGISTRY_UNREACHABLE";
      const known = offline && this.#policy === "newer" ? await this.#local(reference, platform) : undefined;
      if (known === undefined) throw error;
      return known;
    }
  }

  /** The image's file system; what is missing of it is pulled and unpacked. undefined: it has no layers. */
  async snapshot(image: FoundImage, onProgress?: (progress: LayerMove) => void): Promise<Snapshot | undefined> {
    const diffs = image.config.rootfs.diff_ids;
    const { layers } = image.manifest;
    if (layers.length !== diffs.length) {
      throw new TsbuildError(`Cannot use ${image.name}: it has ${layers.length} layers and ${diffs.length} diff_ids`, {
        code: "E_MANIFEST_INVALID",
      });
    }
    const chain = chainID(diffs);
    const whole = chain === undefined ? undefined : this.#store.snapshots.find(chain);
    if (whole === undefined && chain !== undefined) await this.#materialize(image, onProgress);
    if (image.unnamed !== true && (this.#store.refs.get(image.name) === undefined || this.#policy !== "missing")) {
      if (await this.#complete(image)) this.#store.refs.set(image.name, image.target);
    }
    return chain === undefined ? undefined : this.#store.snapshots.find(chain);
  }

  /** Brings every layer's blob into the store, for `pull`. */
  async blobs(image: FoundImage, onProgress?: (progress: LayerMove) => void): Promise<void> {
    await this.#download(image, image.manifest.layers, onProgress);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }

  async #complete(image: FoundImage): Promise<boolean> {
    for (const layer of image.manifest.layers)
      if ((await this.#store.content.stat(layer.digest)) === undefined) return false;
    return true;
  }

  async #materialize(image: FoundImage, onProgress: ((progress: LayerMove) => void) | undefined): Promise<void> {
    const diffs = image.config.rootfs.diff_ids;
    const steps = image.manifest.layers.map((layer, at) => ({ layer, diffID: diffs[at] ?? asDiffID(layer.digest) }));
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
    const arrived = new Map(missing.map(({ layer }) => [layer.digest, Promise.withResolvers<void>()]));
    const download = this.#download(
      image,
      missing.map(({ layer }) => layer),
      onProgress,
      async (layer) => {
        arrived.get(layer.digest)?.resolve();
      },
    );
    download.catch((error: unknown) => arrived.forEach(({ reject }) => reject(error)));
    for (const { promise } of arrived.values()) promise.catch(() => undefined);
    try {
      for (const { layer, diffID } of missing) {
        await arrived.get(layer.digest)?.promise;
        chain = extendChain(chain, diffID);
        parent = await this.#unpack(layer, { diffID, chain, parent }, onProgress);
      }
    } finally {
      await Promise.allSettled([download]);
    }
  }

  async #unpack(
    layer: Descriptor,
    place: { readonly diffID: DiffID; readonly chain: ChainID; readonly parent: Snapshot | undefined },
    onProgress: ((progress: LayerMove) => void) | undefined,
  ): Promise<Snapshot> {
    const { diffID, chain, parent } = place;
    await using active = this.#store.snapshots.prepare(parent);
    const { digest, size: total } = layer;
    const bytes = this.#store.content.fetch(layer, {
      signal: this.#signal,
      onProgress: (current) => onProgress?.({ digest, phase: "unpack", current, total }),
    });
    let size: number;
    {
      using root = Root.open(active.upper);
      const unpacked = await unpackLayer(bytes, root, { form: "overlay", expected: diffID, signal: this.#signal });
      size = unpacked.size;
    }
    const snapshot = active.commit();
    await this.#store.snapshots.persist([{ snapshot, identity: { diffID, chainID: chain, size } }]);
    return this.#store.snapshots.find(chain) ?? snapshot;
  }

  async #download(
    image: FoundImage,
    layers: readonly Descriptor[],
    onProgress: ((progress: LayerMove) => void) | undefined,
    onLayer?: (layer: Descriptor) => Promise<void>,
  ): Promise<void> {
    await pullLayers(this.#client, this.#store.content, {
      reference: image.reference,
      layers,
      signal: this.#signal,
      ...(onProgress === undefined ? {} : { onProgress: (one) => onProgress({ ...one, phase: "download" }) }),
      ...(onLayer === undefined ? {} : { onLayer }),
    });
  }

  async #remote(reference: Reference, platform: Platform): Promise<FoundImage> {
    const { content } = this.#store;
    const { descriptor, manifest, target } = await resolveImage(this.#client, content, {
      reference,
      platform,
      signal: this.#signal,
    });
    const config = parseConfig(await content.read(manifest.config));
    return { name: formatReference(reference), reference, descriptor, manifest, config, target };
  }

  async #local(reference: Reference, platform: Platform): Promise<FoundImage | undefined> {
    const name = formatReference(reference);
    const ref = this.#store.refs.get(name);
    const image = ref === undefined ? undefined : await loadStored(this.#store, ref, platform);
    return image === undefined ? undefined : { ...image, reference };
  }
}
