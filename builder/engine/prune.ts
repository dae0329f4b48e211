import { checkOptions } from "../../native/arguments.ts";
import { danglingPrefix } from "../../store/image/stored.ts";
import { openStore } from "../../store/open.ts";
import type { CollectOptions, ImageRef, Store } from "../../store/store.ts";
import { pruneTable } from "../options/option-tables.ts";
import type { PrunedImage, PruneOptions, PruneResult } from "../options/prune.ts";
import { chosenImages, type ChosenImage } from "./chosen-images.ts";

/**
 * Removes what is meant and what nothing else leads to, beside builds, pulls and runs: what they use stays.
 * @throws E_STORE_OPEN, E_STORE_VERSION, E_STORE_UNSAFE, E_STORE_BUSY
 */
export async function prune(options: PruneOptions): Promise<PruneResult> {
  checkOptions("prune", options, pruneTable);
  const { root, signal = new AbortController().signal } = options;
  await using store = await openStore({ root, freeing: true });
  const chosen = await chosenImages(store, options);
  const collected = await store.collect({
    images: chosen.map(({ ref }) => ref),
    ...cacheOf(options, Date.now()),
    partials: true,
    signal,
  });
  const { snapshots: layers, blobs, steps, bytes } = collected;
  return { images: prunedImages(store, collected.images, chosen), layers, blobs, steps, bytes };
}

function cacheOf({ cache = "none", until }: PruneOptions, now: number): CollectOptions {
  if (cache === "none") return {};
  return { unusedFor: until === undefined ? 0 : Math.max(0, now - until), keepShared: cache === "dangling" };
}

function prunedImages(
  store: Store,
  removed: readonly ImageRef[],
  chosen: readonly ChosenImage[],
): readonly PrunedImage[] {
  const ids = new Map(chosen.map(({ ref, id }) => [ref.target.digest, id]));
  const left = new Set(store.refs.list().map(({ target }) => target.digest));
  return [...Map.groupBy(removed, ({ target }) => target.digest)].map(([digest, refs]) => ({
    id: ids.get(digest) ?? digest,
    names: refs.map(({ name }) => name).filter((name) => !name.startsWith(danglingPrefix)),
    deleted: !left.has(digest),
  }));
}
