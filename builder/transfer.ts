import { pushImage, RegistryClient } from "../registry/index.ts";
import { checkOptions, type OptionTable } from "../native/arguments.ts";
import { TsbuildError } from "../native/errors.ts";
import { compressImage, openBlob } from "../store/image/blob.ts";
import { storedIndex } from "../store/image/index-parts.ts";
import { layerOrigins } from "../store/image/layer-origins.ts";
import { requireStored, sameImage } from "../store/image/missing.ts";
import { imageID, type StoredImage } from "../store/image/stored.ts";
import { openStore } from "../store/open.ts";
import { suits } from "../store/oci/choose.ts";
import type { Descriptor } from "../store/oci/descriptor.ts";
import type { Digest } from "../store/oci/digest.ts";
import { hostPlatform, parsePlatform, type Platform } from "../store/oci/platform.ts";
import { formatReference, parseReference } from "../store/oci/reference.ts";
import type { Store } from "../store/store.ts";
import type { ProgressSink } from "./events.ts";
import { forgettingFailed } from "./forget-failed.ts";
import { imageProgress } from "./image-progress.ts";
import type { EngineOptions } from "./options.ts";
import { engine } from "./option-tables.ts";
import { pullAll } from "./pull-all.ts";
import { pushWhole } from "./push-whole.ts";
import { requireRoot } from "./require-root.ts";
import { ImageSource } from "./source/images.ts";
import { WorkerPool } from "./worker/pool.ts";

/** What pull and push work with beside the image's name. */
export interface TransferOptions extends EngineOptions {
  readonly image: string;
  /** `os/arch[/variant]`; default: the machine's. */
  readonly platform?: string;
  readonly onEvent?: ProgressSink;
}

const table: OptionTable<TransferOptions> = { image: "text!", ...engine, platform: "string", onEvent: "call" };

/** What a pull brought or a push sent. */
export interface TransferResult {
  /** Normalised. */
  readonly name: string;
  /** Of what the name points to. */
  readonly digest: Digest;
  readonly imageID: Digest;
}

/** Which image to pull. */
export interface PullOptions extends TransferOptions {
  /** Every platform and artifact of its index; the machine's alone is unpacked. */
  readonly allPlatforms?: boolean;
}

const pullTable: OptionTable<PullOptions> = { ...table, allPlatforms: "boolean" };

/** Brings an image into the store, unpacked and ready to run. @throws RegistryError, E_PLATFORM_MISSING */
export async function pull(options: PullOptions): Promise<TransferResult> {
  checkOptions("pull", options, pullTable);
  requireRoot("pull");
  const signal = options.signal ?? new AbortController().signal;
  const platform = options.platform === undefined ? hostPlatform() : parsePlatform(options.platform);
  await using store = await openStore({ root: options.root });
  await using workers = new WorkerPool();
  const registry = options.registry ?? {};
  await using source = new ImageSource({
    store,
    policy: "always",
    registry,
    workers,
    signal,
    squashOwners: options.squashOwners,
  });
  const progress = imageProgress(options.onEvent, `pull ${options.image}`);
  const fetch = async (): Promise<TransferResult> => {
    if (options.allPlatforms === true) return await pullAll(store, source, { ...options, signal, progress });
    const image = await source.find(options.image, platform);
    if (options.platform !== undefined) checkPlatform(image, platform, options.image);
    await source.snapshot(image, progress.layer, { blobs: true });
    return { name: image.name, digest: image.target.digest, imageID: imageID(image) };
  };
  return await forgettingFailed(store, async () => await progress.around(fetch));
}

/** An image that is no index has one platform, whatever was asked for. @throws E_PLATFORM_MISSING */
function checkPlatform({ config }: StoredImage, wanted: Platform, image: string): void {
  const { os, architecture } = config;
  if (suits(config, wanted)) return;
  throw new TsbuildError(
    `Cannot pull ${image} for ${wanted.os}/${wanted.architecture}: it is for ${os}/${architecture} only`,
    { code: "E_PLATFORM_MISSING", hint: `leave out --platform, or give --platform ${os}/${architecture}` },
  );
}

/** Sends an image to the registry of its name, compressed. @throws RegistryError, E_IMAGE_NOT_FOUND */
export async function push(options: TransferOptions): Promise<TransferResult> {
  checkOptions("push", options, table);
  await using store = await openStore({ root: options.root });
  return await pushFrom(store, options);
}

/** As push(), from a store that is open. */
export async function pushFrom(store: Store, options: Omit<TransferOptions, "root">): Promise<TransferResult> {
  const { signal } = options;
  const reference = parseReference(options.image);
  if (reference.digest !== undefined) {
    throw new TsbuildError(`Cannot push ${options.image}: a push goes to a tag, not to a digest`, {
      code: "E_REF_INVALID",
    });
  }
  const platform = options.platform === undefined ? undefined : parsePlatform(options.platform);
  const image = await requireStored(store, options.image, platform).catch((error: unknown) => {
    throw untagged(error, store, options.image);
  });
  await using client = new RegistryClient(options.registry ?? {});
  const progress = imageProgress(options.onEvent, `push ${formatReference(reference)}`);
  return await progress.around(async () => {
    const origins = await layerOrigins(store, reference);
    const way = {
      reference,
      openBlob: (desc: Descriptor) => openBlob(store, desc),
      mountFrom: ({ digest: layer }: Descriptor) => origins.get(layer),
      signal,
      onProgress: ({ digest: layer, current, total }: { digest: Digest; current: number; total: number }) =>
        progress.layer({ digest: layer, phase: "upload", current, total }),
    };
    const index = platform === undefined ? await storedIndex(store, image.target) : undefined;
    const { digest } =
      index === undefined
        ? await pushImage(client, {
            ...way,
            ...(await compressImage(store, image, signal === undefined ? {} : { signal })),
          })
        : await pushWhole(store, client, { ...way, image, index });
    return { name: formatReference(reference), digest, imageID: imageID(image) };
  });
}

/** Who pushes what was built under another name is told how to name it. */
function untagged(error: unknown, store: Store, image: string): unknown {
  if (!(error instanceof TsbuildError) || error.code !== "E_IMAGE_NOT_FOUND") return error;
  const known = sameImage(store, image);
  if (known === undefined) return error;
  const { code, message } = error;
  return new TsbuildError(message, { code, cause: error, hint: `name it first: tsbuild tag ${known} ${image}` });
}
