import { TsbuildError } from "../../native/errors.ts";
import { findStored } from "../../store/image/stored.ts";
import { RegistryError } from "../../registry/index.ts";
import { suits } from "../../store/oci/choose.ts";
import { platformOf, type Image, type NamedImage } from "../../store/oci/image.ts";
import { formatPlatform, hostPlatform, parsePlatform, type Platform } from "../../store/oci/platform.ts";
import type { Snapshot } from "../../store/snapshot/snapshotter.ts";
import type { Store } from "../../store/store.ts";
import type { ProgressSink } from "../graph/events.ts";
import { forgettingFailed } from "./forget-failed.ts";
import { imageProgress } from "../graph/image-progress.ts";
import type { EngineOptions } from "../options/options.ts";
import type { PullPolicy } from "../inputs/source/image/pull-policy.ts";
import { ImageSource } from "../inputs/source/image/images.ts";
import { WorkerPool } from "../solve/worker/pool.ts";

/** Which image, and when it is looked up in its registry. */
export interface PrepareOptions extends EngineOptions {
  readonly image: string;
  readonly pull?: PullPolicy;
  readonly platform?: string;
  readonly onEvent?: ProgressSink;
}

/** An image by name or ID, pulled when it is not there, and its file system. */
export async function prepareImage(
  store: Store,
  options: PrepareOptions,
  signal: AbortSignal,
): Promise<{ readonly image: NamedImage; readonly snapshot: Snapshot | undefined }> {
  const platform = options.platform === undefined ? hostPlatform() : parsePlatform(options.platform);
  const policy = options.pull ?? "missing";
  // What is not to be fetched may also be of another machine.
  const wanted = options.platform === undefined && policy === "never" ? undefined : platform;
  const found = await findStored(store, options.image, wanted);
  const stored = found !== undefined && isFor(found, options) ? found : undefined;
  const present = stored !== undefined && policy !== "always";
  const other = present ? undefined : (found ?? (await findStored(store, options.image)));
  if (policy === "never" && other !== undefined) throw otherPlatform(other, options, platform);
  await using workers = new WorkerPool();
  await using source = new ImageSource({
    store,
    // What is there is not what is asked for: as with docker, the registry has the name for other platforms too.
    policy: found === stored ? policy : "always",
    registry: options.registry ?? {},
    workers,
    signal,
    squashOwners: options.squashOwners,
  });
  if (present) return { image: stored, snapshot: await source.snapshot(stored) };
  return await forgettingFailed(store, async () => {
    const image = await source.find(options.image, platform).catch((error: unknown) => {
      if (other === undefined || !(error instanceof RegistryError)) throw error;
      throw otherPlatform(other, options, platform, error);
    });
    if (!isFor(image, options)) throw otherPlatform(image, options, platform);
    const progress = imageProgress(options.onEvent, `pull ${options.image}`);
    return await progress.around(async () => ({ image, snapshot: await source.snapshot(image, progress.layer) }));
  });
}

/** An image that is no index has one platform; to run it as another one is never meant. */
function isFor({ config }: Image, { platform }: PrepareOptions): boolean {
  return platform === undefined || suits(config.value, parsePlatform(platform));
}

/** `failed`: why its registry could not be asked for the right one. */
function otherPlatform(
  found: Image,
  { image }: PrepareOptions,
  wanted: Platform,
  failed?: RegistryError,
): TsbuildError {
  const [has, wants] = [formatPlatform(platformOf(found)), formatPlatform(wanted)];
  const notes = failed === undefined ? [] : [failed.message, ...failed.notes];
  return new TsbuildError(`Cannot use ${image} for ${wants}: it is for ${has}`, {
    code: "E_PLATFORM_MISSING",
    notes,
    ...(failed === undefined ? {} : { cause: failed }),
    hint: `fetch the other one: tsbuild pull --platform ${wants} ${image}\nor use this one: --platform ${has}`,
  });
}
