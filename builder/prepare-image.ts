import { TsbuildError } from "../native/errors.ts";
import { findStored, nameOf, type StoredImage } from "../store/image/stored.ts";
import { suits } from "../store/oci/choose.ts";
import { hostPlatform, parsePlatform } from "../store/oci/platform.ts";
import { parseReference } from "../store/oci/reference.ts";
import type { Snapshot } from "../store/snapshot/snapshotter.ts";
import type { Store } from "../store/store.ts";
import type { ProgressSink } from "./events.ts";
import { imageProgress } from "./image-progress.ts";
import type { EngineOptions, PullPolicy } from "./options.ts";
import { ImageSource, type FoundImage } from "./source/images.ts";
import { WorkerPool } from "./worker/pool.ts";

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
): Promise<{ readonly image: FoundImage; readonly snapshot: Snapshot | undefined }> {
  const platform = options.platform === undefined ? hostPlatform() : parsePlatform(options.platform);
  const policy = options.pull ?? "missing";
  // What is not to be fetched may also be of another machine.
  const wanted = options.platform === undefined && policy === "never" ? undefined : platform;
  const stored = await findStored(store, options.image, wanted);
  if (stored !== undefined && options.platform !== undefined && policy !== "always") checkPlatform(stored, options);
  await using workers = new WorkerPool();
  await using source = new ImageSource({
    store,
    policy,
    registry: options.registry ?? {},
    workers,
    signal,
    squashOwners: options.squashOwners,
  });
  const present = stored !== undefined && policy !== "always";
  const image = present
    ? { ...stored, reference: parseReference(nameOf(stored.name) ?? "none") }
    : await source.find(options.image, platform);
  if (present) return { image, snapshot: await source.snapshot(image) };
  const progress = imageProgress(options.onEvent, `pull ${options.image}`);
  return await progress.around(async () => ({ image, snapshot: await source.snapshot(image, progress.layer) }));
}

/** An image that is no index has one platform; to run it as another one is never meant. */
function checkPlatform({ config }: StoredImage, { image, platform: wanted = "" }: PrepareOptions): void {
  const { os, architecture } = config;
  if (suits(config, parsePlatform(wanted))) return;
  throw new TsbuildError(`Cannot use ${image} for ${wanted}: in the store it is for ${os}/${architecture}`, {
    code: "E_PLATFORM_MISSING",
    hint: `fetch the other one: tsbuild pull --platform ${wanted} ${image}   (or leave out --platform)`,
  });
}
