import { hostPlatform, matchPlatform } from "../oci/platform.ts";
import type { Digest } from "../oci/digest.ts";
import type { Store } from "../store.ts";
import { dockerImages, dockerItems, namesByConfig } from "./archive-docker.ts";
import { stageEntries, type ArchiveEntries } from "./archive-entries.ts";
import { archiveError } from "./archive-error.ts";
import type { ArchiveImage } from "./archive-image.ts";
import { ociImages } from "./archive-oci.ts";
import { checkDiffs } from "./check-diffs.ts";
import { setName } from "./names.ts";
import { StagedBlobs } from "./staged.ts";
import { danglingName } from "./stored.ts";

/** An image that was in an archive. */
export interface LoadedImage {
  readonly names: readonly string[];
  /** Of several platforms the machine's, else the first that is there. */
  readonly id: Digest;
}

/**
 * Loads every image of a docker or OCI archive, plain or compressed by gzip, bzip2, xz or zstd: all of them or, when one
 * cannot be had, nothing. The layers are those that the configs say.
 * @throws E_ARCHIVE_INVALID, E_DIGEST_MISMATCH, E_LAYER_DIGEST_MISMATCH, E_MANIFEST_INVALID, E_NOT_AN_IMAGE
 */
export async function loadArchive(
  store: Store,
  bytes: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<readonly LoadedImage[]> {
  await using staged = await StagedBlobs.open(store);
  const entries = await stageEntries(staged, bytes, signal);
  const found = await imagesIn(staged, entries);
  if (found.length === 0) throw archiveError("it has no image");
  const check = { act: "load the archive", known: new Map(), signal };
  for (const { manifest, config } of found.flatMap(({ images }) => images))
    await checkDiffs(staged, { layers: manifest.value.layers, diffs: config.value.rootfs.diff_ids }, check);
  for (const { digest } of found.flatMap(({ parts }) => parts)) {
    signal?.throwIfAborted();
    await staged.keep(digest);
  }
  return named(store, found);
}

/** docker's archives of today are OCI layouts as well, which have the manifests themselves and every platform. */
async function imagesIn(staged: StagedBlobs, entries: ArchiveEntries): Promise<readonly ArchiveImage[]> {
  const items = entries.has("manifest.json") ? await dockerItems(staged, entries) : [];
  if (entries.has("index.json") && (entries.has("oci-layout") || !entries.has("manifest.json"))) {
    const names = namesByConfig(entries, items);
    const images = await ociImages(staged, entries);
    return images.map((one) => (one.names.length > 0 ? one : { ...one, names: dockerNames(one, names) }));
  }
  if (entries.has("manifest.json")) return await dockerImages(staged, entries, items);
  if (entries.has("repositories"))
    throw archiveError("it is of a Docker before 1.10, whose images have no manifest.json");
  throw archiveError("it has neither manifest.json nor index.json");
}

function dockerNames({ images }: ArchiveImage, names: ReadonlyMap<Digest, readonly string[]>): readonly string[] {
  return images.flatMap(({ config }) => names.get(config.descriptor.digest) ?? []);
}

/** A name that several images of the archive have is that of the last one. */
function named(store: Store, found: readonly ArchiveImage[]): readonly LoadedImage[] {
  const owners = new Map(found.flatMap(({ names, target }) => names.map((name) => [name, target.digest])));
  const loaded = found.map((one) => {
    const names = [...new Set(one.names)].filter((name) => owners.get(name) === one.target.digest);
    for (const name of names) setName(store, name, one.target);
    return { names, id: idOf(one) };
  });
  const withName = new Set(store.refs.list().map(({ target }) => target.digest));
  for (const { target } of found) if (!withName.has(target.digest)) store.refs.set(danglingName(target), target);
  return loaded;
}

function idOf({ images, target }: ArchiveImage): Digest {
  const host = hostPlatform();
  const best = images.find(({ config }) => matchPlatform(host, config.value) !== undefined) ?? images[0];
  return best?.config.descriptor.digest ?? target.digest;
}
