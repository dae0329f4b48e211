import { Readable } from "node:stream";
import { extract, type Header } from "tar-stream";
import { TsbuildError } from "../../native/errors.ts";
import { detectCompression, decompress } from "../layer/compression.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { digestOf, type Digest } from "../oci/digest.ts";
import type { Manifest } from "../oci/manifest.ts";
import { MediaType } from "../oci/mediatype.ts";
import { parseManifest } from "../oci/parse.ts";
import { parseConfig } from "../oci/parse-config.ts";
import { maxDocument } from "../oci/json.ts";
import { normalizeReference } from "../oci/reference.ts";
import type { Store } from "../store.ts";
import { setName } from "./names.ts";
import { danglingName } from "./stored.ts";

/** An image that was in an archive. */
export interface LoadedImage {
  readonly names: readonly string[];
  readonly id: Digest;
}

/** What an entry of the archive became. */
interface StoredEntry {
  readonly digest: Digest;
  readonly size: number;
  readonly compression: ReturnType<typeof detectCompression>;
}

type Entries = ReadonlyMap<string, StoredEntry>;

/**
 * Loads every image of a docker or OCI archive, plain or compressed; the names are set when all of it is stored.
 * @throws E_ARCHIVE_INVALID, E_DIGEST_MISMATCH, E_MANIFEST_INVALID
 */
export async function loadArchive(
  store: Store,
  bytes: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<readonly LoadedImage[]> {
  const entries = await storeEntries(store, bytes, signal);
  if (entries.has("manifest.json")) return await loadDocker(store, entries);
  if (entries.has("index.json")) return await loadOci(store, entries);
  throw invalid("it has neither manifest.json nor index.json");
}

async function storeEntries(
  store: Store,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<Entries> {
  const entries = new Map<string, StoredEntry>();
  const links = new Map<string, string>();
  const archive = extract();
  const source = Readable.from(decompress(bytes, signal));
  source.on("error", (error) => archive.destroy(error));
  source.pipe(archive);
  try {
    for await (const entry of archive) {
      signal?.throwIfAborted();
      const { header } = entry;
      const name = header.name.replace(/^(?:\.?\/)+/, "");
      if (header.type === "symlink" || header.type === "link") {
        links.set(name, resolveLink(name, header));
        entry.resume();
      } else if (header.type === "file") entries.set(name, await storeEntry(store, name, bytesOf(entry)));
      else entry.resume();
    }
  } catch (error) {
    const failedCall = error instanceof Error && "syscall" in error; // the disk is full, say
    if (error instanceof TsbuildError || failedCall || signal?.aborted === true) throw error;
    throw invalid("it is no tar archive, or it is cut off", error);
  }
  // docker's old archives link layers that several images share.
  for (const [name, target] of links) {
    const found = entries.get(target);
    if (found !== undefined) entries.set(name, found);
  }
  return entries;
}

function resolveLink(name: string, header: Header): string {
  const target = header.linkname ?? "";
  const base = header.type === "link" ? "" : name.slice(0, name.lastIndexOf("/") + 1);
  return new URL(target, `file:///${base}`).pathname.slice(1);
}

async function* bytesOf(stream: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) if (chunk instanceof Uint8Array) yield chunk;
}

async function storeEntry(store: Store, name: string, bytes: AsyncIterable<Uint8Array>): Promise<StoredEntry> {
  let head: Buffer = Buffer.alloc(0);
  const watched = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      if (head.length < 8) head = Buffer.concat([head, chunk.subarray(0, 8)]);
      yield chunk;
    }
  };
  const stored = await store.content.put(watched());
  const named = /^blobs\/(sha256)\/([0-9a-f]{64})$/.exec(name);
  if (named !== null && stored.digest !== `${named[1]}:${named[2]}`) {
    await store.content.delete(stored.digest);
    throw new TsbuildError(`Cannot load the archive: ${name} has digest ${stored.digest}`, {
      code: "E_DIGEST_MISMATCH",
      hint: "the archive is damaged: make or fetch it again",
    });
  }
  return { ...stored, compression: detectCompression(head) };
}

async function loadDocker(store: Store, entries: Entries): Promise<readonly LoadedImage[]> {
  const list = parseList(await readText(store, entries, "manifest.json"));
  if (!Array.isArray(list)) throw invalid("manifest.json is no list");
  const loaded: LoadedImage[] = [];
  for (const item of list) {
    const { Config, RepoTags, Layers }: { Config?: unknown; RepoTags?: unknown; Layers?: unknown } = item ?? {};
    if (typeof Config !== "string" || !isTextList(Layers)) throw invalid("manifest.json is damaged");
    const config = requireEntry(entries, Config);
    const { rootfs } = parseConfig(await store.content.read(describe(MediaType.ociConfig, config)));
    if (rootfs.diff_ids.length !== Layers.length)
      throw invalid("an image has more or fewer layers than its config says");
    const manifest: Manifest = {
      schemaVersion: 2,
      mediaType: MediaType.ociManifest,
      config: describe(MediaType.ociConfig, config),
      layers: Layers.map((name) => layerDescriptor(requireEntry(entries, name))),
    };
    const bytes = Buffer.from(JSON.stringify(manifest));
    const descriptor = { mediaType: manifest.mediaType, digest: digestOf(bytes), size: bytes.length };
    await store.content.push(descriptor, single(bytes));
    const names = (isTextList(RepoTags) ? RepoTags : []).map(normalizeReference);
    loaded.push(name(store, descriptor, names, config.digest));
  }
  return loaded;
}

function parseList(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid("manifest.json is no JSON", error);
  }
}

async function loadOci(store: Store, entries: Entries): Promise<readonly LoadedImage[]> {
  const index = parseManifest(Buffer.from(await readText(store, entries, "index.json")), MediaType.ociIndex);
  if (index.kind !== "index") throw invalid("index.json is no index");
  const loaded = new Map<Digest, LoadedImage>();
  for (const target of index.index.manifests) {
    const names = namesOf(target);
    for (const descriptor of await imagesOf(store, target)) {
      const parsed = parseManifest(await store.content.read(descriptor), descriptor.mediaType);
      if (parsed.kind === "index") throw invalid("an index holds another index");
      for (const part of [parsed.manifest.config, ...parsed.manifest.layers]) {
        if ((await store.content.stat(part.digest)) === undefined) throw invalid(`${part.digest} is missing`);
      }
      const id = parsed.manifest.config.digest;
      const before = loaded.get(id)?.names ?? [];
      const { mediaType, digest, size } = target;
      loaded.set(id, name(store, { mediaType, digest, size }, [...before, ...names], id));
    }
  }
  return [...loaded.values()];
}

/** As containerd and docker name an image, else as podman and skopeo do, where it may be a tag alone, which is no name. */
function namesOf({ annotations }: Descriptor): readonly string[] {
  const full = annotations?.["io.containerd.image.name"];
  if (full !== undefined) return [normalizeReference(full)];
  const other = annotations?.["org.opencontainers.image.ref.name"] ?? "";
  if (!/[/:]/.test(other)) return [];
  try {
    return [normalizeReference(other)];
  } catch {
    return [];
  }
}

async function imagesOf(store: Store, target: Descriptor): Promise<readonly Descriptor[]> {
  if ((await store.content.stat(target.digest)) === undefined) throw invalid(`${target.digest} is missing`);
  const parsed = parseManifest(await store.content.read(target), target.mediaType);
  return parsed.kind === "index" ? parsed.index.manifests : [target];
}

function name(store: Store, target: Descriptor, names: readonly string[], id: Digest): LoadedImage {
  for (const one of names) setName(store, one, target);
  if (names.length === 0) store.refs.set(danglingName(target), target);
  return { names, id };
}

function layerDescriptor(entry: StoredEntry): Descriptor {
  const types: Readonly<Record<string, string>> = {
    gzip: MediaType.ociLayerGzip,
    zstd: MediaType.ociLayerZstd,
    none: MediaType.ociLayer,
  };
  const mediaType = types[entry.compression];
  if (mediaType === undefined) throw invalid(`a layer is compressed by ${entry.compression}`);
  return describe(mediaType, entry);
}

function describe(mediaType: string, { digest, size }: StoredEntry): Descriptor {
  return { mediaType, digest, size };
}

function requireEntry(entries: Entries, path: string): StoredEntry {
  const found = entries.get(path);
  if (found === undefined) throw invalid(`${path} is missing`);
  return found;
}

async function readText(store: Store, entries: Entries, path: string): Promise<string> {
  const entry = requireEntry(entries, path);
  if (entry.size > maxDocument) throw invalid(`${path} is too large`);
  const bytes = await store.content.read(describe("application/json", entry));
  return Buffer.from(bytes).toString("utf8");
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function invalid(why: string, cause?: unknown): TsbuildError {
  return new TsbuildError(`Cannot load the archive: ${why}`, {
    code: "E_ARCHIVE_INVALID",
    cause,
    hint: "it must be an archive of `tsbuild save`, `docker save` or an OCI layout",
  });
}
