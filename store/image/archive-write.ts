import { once as onceEmitted } from "node:events";
import { join } from "node:path";
import { pack, type Pack } from "tar-stream";
import type { Dir } from "../../native/path.ts";
import { openOutputDirectory, openOutputIn, writeWhole, writeWholeIn } from "../../native/whole-file.ts";
import { writeChunk } from "../../native/write-chunk.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Image } from "../oci/image.ts";
import { MediaType } from "../oci/mediatype.ts";
import { familiarName, parseReference } from "../oci/reference.ts";
import { splitDigest } from "../oci/digest.ts";
import type { Store } from "../store.ts";
import { openBlob } from "./blob.ts";
import type { StoredIndex, WholeManifest } from "./index-parts.ts";
import { once } from "../content/once.ts";

/** One image of an archive or layout. */
export interface ArchivedImage {
  readonly image: Image;
  /** Normalised names. */
  readonly names: readonly string[];
  /** Of an image of several platforms: all that is there of it, as it came. */
  readonly whole?: StoredIndex | undefined;
}

/** "docker" adds what `docker load` reads; both are OCI layouts. */
export type ArchiveFormat = "oci" | "docker";

interface Entry {
  readonly name: string;
  readonly size: number;
  bytes(): AsyncIterable<Uint8Array>;
}

/** Writes an OCI layout directory, blobs first, index last. */
export async function writeLayout(store: Store, images: readonly ArchivedImage[], directory: string): Promise<void> {
  using root = openOutputDirectory(directory);
  for (const { name, bytes } of entries(store, images, "oci")) {
    using opened = new DisposableStack();
    const parts = name.split("/");
    const file = parts.pop() ?? "";
    const openPart = (dir: Dir, part: string, at: number): Dir =>
      opened.use(openOutputIn(dir, part, join(directory, ...parts.slice(0, at + 1))));
    await writeWholeIn(parts.reduce(openPart, root), file, join(directory, name), async (stream) => {
      for await (const chunk of bytes()) await writeChunk(stream, chunk);
    });
  }
}

/** Writes an archive file; it appears whole or not at all. @throws E_OUTPUT_FILE */
export async function writeArchiveFile(
  store: Store,
  images: readonly ArchivedImage[],
  options: { readonly format: ArchiveFormat; readonly file: string; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  await writeWhole(options.file, async (stream) => await writeArchive(store, images, { ...options, stream }));
}

/** Writes an archive to a stream, which stays open. The same images give the same bytes. */
export async function writeArchive(
  store: Store,
  images: readonly ArchivedImage[],
  options: {
    readonly format: ArchiveFormat;
    readonly stream: NodeJS.WritableStream;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<void> {
  const { format, stream, signal } = options;
  const archive = pack();
  const feeding = feed(archive, entries(store, images, format), signal);
  feeding.catch((error: unknown) => archive.destroy(error instanceof Error ? error : new Error(String(error))));
  for await (const chunk of archive) {
    if (chunk instanceof Uint8Array) await writeChunk(stream, chunk);
  }
  await feeding;
}

async function feed(archive: Pack, list: Iterable<Entry>, signal: AbortSignal | undefined): Promise<void> {
  for (const { name, size, bytes } of list) {
    signal?.throwIfAborted();
    const done = Promise.withResolvers<void>();
    done.promise.catch(() => undefined); // perhaps before anybody waits for it
    const entry = archive.entry({ name, size, mode: 0o644, mtime: new Date(0) }, (error) => {
      if (error === null || error === undefined) done.resolve();
      else done.reject(error instanceof Error ? error : new Error(String(error)));
    });
    // Its callback has told; an error that nobody listens for would end the process before it has cleaned up.
    entry.on("error", () => undefined);
    for await (const chunk of bytes()) {
      signal?.throwIfAborted();
      // The chunk's buffer is the packer's own and is used again.
      if (!entry.write(Buffer.from(chunk))) await Promise.race([onceEmitted(entry, "drain"), done.promise]);
    }
    entry.end(undefined);
    await done.promise;
  }
  archive.finalize();
}

function* entries(store: Store, images: readonly ArchivedImage[], format: ArchiveFormat): Generator<Entry> {
  const seen = new Set<string>();
  const blob = (desc: Descriptor, bytes: () => AsyncIterable<Uint8Array>): readonly Entry[] => {
    if (seen.has(desc.digest)) return [];
    seen.add(desc.digest);
    return [{ name: blobPath(desc), size: desc.size, bytes }];
  };
  for (const { manifest, configBytes } of images.flatMap(manifestsOf)) {
    for (const layer of manifest.value.layers) yield* blob(layer, () => openBlob(store, layer));
    yield* blob(manifest.value.config, () => once(configBytes));
    yield* blob(manifest.descriptor, () => once(manifest.bytes));
  }
  for (const { descriptor, bytes } of images.flatMap(({ whole }) => whole?.indexes ?? []))
    yield* blob(descriptor, () => once(bytes));
  yield small("oci-layout", { imageLayoutVersion: "1.0.0" });
  if (format === "docker") yield small("manifest.json", images.map(dockerEntry));
  yield small("index.json", {
    schemaVersion: 2,
    mediaType: MediaType.ociIndex,
    manifests: images.flatMap(indexEntries),
  });
}

function manifestsOf({ image, whole }: ArchivedImage): readonly WholeManifest[] {
  return whole?.manifests ?? [{ manifest: image.manifest, configBytes: image.config.bytes }];
}

function indexEntries({ image, whole, names }: ArchivedImage): readonly Descriptor[] {
  const target = whole?.indexes.at(-1)?.descriptor ?? image.manifest.descriptor;
  if (names.length === 0) return [target];
  return names.map((name) => ({
    ...target,
    annotations: {
      "io.containerd.image.name": name,
      "org.opencontainers.image.ref.name": parseReference(name).tag ?? "latest",
    },
  }));
}

function dockerEntry({ image, names }: ArchivedImage): Readonly<Record<string, unknown>> {
  return {
    Config: blobPath(image.config.descriptor),
    RepoTags: names.map(familiarName),
    Layers: image.manifest.value.layers.map(blobPath),
  };
}

function blobPath({ digest }: Descriptor): string {
  const { algorithm, hex } = splitDigest(digest);
  return `blobs/${algorithm}/${hex}`;
}

function small(name: string, value: unknown): Entry {
  const bytes = Buffer.from(JSON.stringify(value));
  return { name, size: bytes.length, bytes: () => once(bytes) };
}
