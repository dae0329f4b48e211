import { checkOptions, type OptionTable } from "../../native/arguments.ts";
import { TsbuildError } from "../../native/errors.ts";
import { openStore } from "../../store/open.ts";
import { suits } from "../../store/oci/choose.ts";
import { imageID, platformOf, targetOf, type Image } from "../../store/oci/image.ts";
import { hostPlatform, parsePlatform, type Platform } from "../../store/oci/platform.ts";
import { imageProgress } from "../graph/image-progress.ts";
import { ImageSource } from "../inputs/source/image/images.ts";
import { engine } from "../options/option-tables.ts";
import type { TransferOptions, TransferResult } from "../options/transfer.ts";
import { pushFrom } from "../output/push.ts";
import { WorkerPool } from "../solve/worker/pool.ts";
import { forgettingFailed } from "./forget-failed.ts";
import { pullAll } from "./pull-all.ts";
import { requireRoot } from "./require-root.ts";

const table: OptionTable<TransferOptions> = { image: "text!", ...engine, platform: "string", onEvent: "call" };

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
    return { name: image.name, digest: targetOf(image).digest, imageID: imageID(image) };
  };
  return await forgettingFailed(store, async () => await progress.around(fetch));
}

/** An image that is no index has one platform, whatever was asked for. @throws E_PLATFORM_MISSING */
function checkPlatform(found: Image, wanted: Platform, image: string): void {
  const { os, architecture } = platformOf(found);
  if (suits(found.config.value, wanted)) return;
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
