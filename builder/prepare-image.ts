import { findStored, nameOf } from "../store/image/stored.ts";
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
  const stored = await findStored(store, options.image, platform);
  const policy = options.pull ?? "missing";
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
