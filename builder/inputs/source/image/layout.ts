import { createReadStream, existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { errorMessage, TsbuildError } from "../../../../native/errors.ts";
import type { ContentStore } from "../../../../store/content/store.ts";
import { checkBytes } from "../../../../store/content/verify.ts";
import { splitDigest, type Digest } from "../../../../store/oci/digest.ts";
import type { Descriptor } from "../../../../store/oci/descriptor.ts";
import { manifestDocument } from "../../../../store/oci/document.ts";
import type { NamedImage } from "../../../../store/oci/image.ts";
import { MediaType } from "../../../../store/oci/mediatype.ts";
import { chooseImage, isUnknown, ranked, type DocumentSource } from "../../../../store/oci/choose.ts";
import { parseManifest } from "../../../../store/oci/parse.ts";
import { maxDocument } from "../../../../store/oci/json.ts";
import { formatPlatform, type Platform } from "../../../../store/oci/platform.ts";
import type { Store } from "../../../../store/store.ts";
import { readRegular } from "../../../base/read-regular.ts";

const refName = "org.opencontainers.image.ref.name";

/** Which image of an OCI layout. */
export interface LayoutRequest {
  /** The name that stands for it in the Dockerfile. */
  readonly name: string;
  readonly path: string;
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
  readonly platform: Platform;
  readonly signal: AbortSignal;
}

/**
 * Finds the image in the layout and brings its documents and layers into the store, checked against their digests. It
 * gets no name there. @throws E_LAYOUT, E_PLATFORM_MISSING, E_DIGEST_MISMATCH
 * @see image-spec image-layout.md
 */
export async function layoutImage({ content }: Store, request: LayoutRequest): Promise<NamedImage> {
  const directory = resolve(request.path);
  const take = async (desc: Descriptor): Promise<void> => await store(content, directory, desc, request.signal);
  const found = await layoutDocuments(request, async (desc) => {
    await take(desc);
    return await content.read(desc);
  });
  for (const layer of found.manifest.value.layers) await take(layer);
  return found;
}

/** Finds the image by its documents alone. `read`: a blob of the layout; without it from there, checked against its digest. */
export async function layoutDocuments(
  request: LayoutRequest,
  read: (desc: Descriptor) => Promise<Uint8Array> = async (desc) => readDocument(resolve(request.path), desc),
): Promise<NamedImage> {
  const { path, platform } = request;
  const directory = resolve(path);
  const target = chooseTarget(directory, request);
  const there = async (desc: Descriptor): Promise<Uint8Array | undefined> =>
    existsSync(blobPath(directory, desc.digest)) ? await read(desc) : undefined;
  const source: DocumentSource = {
    manifest: async (desc) => {
      const bytes = await there(desc);
      return bytes && manifestDocument(desc, bytes);
    },
    config: there,
  };
  const found = await chooseImage(source, target, { name: path, platform });
  if (found === undefined) throw invalid(path, `its documents for ${formatPlatform(platform)} are missing`);
  return { name: `oci-layout://${path}`, ...found };
}

function readDocument(directory: string, desc: Descriptor): Uint8Array {
  sizeOf(directory, desc.digest, directory);
  const bytes = readOr(directory, blobPath(directory, desc.digest));
  checkBytes(desc, bytes);
  return bytes;
}

/** The descriptor that digest or tag name; without either that of `latest` or the only one. */
function chooseTarget(directory: string, { path, tag, digest, platform }: LayoutRequest): Descriptor {
  const index = readIndex(directory, path);
  if (digest !== undefined) {
    return (
      index.find((one) => one.digest === digest) ?? {
        mediaType: MediaType.ociManifest,
        digest,
        size: sizeOf(directory, digest, path),
      }
    );
  }
  const wanted = tag ?? "latest";
  const found = index.filter((one) => {
    const name = one.annotations?.[refName];
    return name === wanted || name?.endsWith(`:${wanted}`) === true;
  });
  const chosen = bestOf(found, platform) ?? (tag === undefined ? onlyImage(index, platform) : undefined);
  if (chosen !== undefined) return chosen;
  const names = index.flatMap((one) => one.annotations?.[refName] ?? []);
  throw invalid(
    path,
    `it has no image ${JSON.stringify(wanted)}`,
    `its images: ${names.join(", ") || "without names"}`,
  );
}

/** A layout may list each platform of an image under one name. */
function bestOf(named: readonly Descriptor[], platform: Platform): Descriptor | undefined {
  return ranked(named, platform)[0] ?? named[0];
}

/** Of a layout without names: signatures and the like beside the image are none, its platforms are one. */
function onlyImage(index: readonly Descriptor[], platform: Platform): Descriptor | undefined {
  const images = index.filter((one) => one.artifactType === undefined && !isUnknown(one.platform));
  if (images.length <= 1) return images[0] ?? (index.length === 1 ? index[0] : undefined);
  const unnamed = images.every((one) => one.platform !== undefined && one.annotations?.[refName] === undefined);
  return unnamed ? bestOf(images, platform) : undefined;
}

function readIndex(directory: string, path: string): readonly Descriptor[] {
  const file = join(directory, "index.json");
  if (statSync(file, { throwIfNoEntry: false }) === undefined)
    throw invalid(path, existsSync(directory) ? "it has no index.json" : "it does not exist");
  const parsed = parsedIndex(path, readOr(path, file));
  if (parsed.kind === "index") return parsed.value.manifests;
  throw invalid(path, "index.json is no index");
}

function parsedIndex(path: string, bytes: Uint8Array): ReturnType<typeof parseManifest> {
  try {
    return parseManifest(bytes, MediaType.ociIndex);
  } catch (error) {
    throw invalid(path, errorMessage(error));
  }
}

function readOr(path: string, file: string): Buffer {
  try {
    return readRegular(file, maxDocument);
  } catch (error) {
    throw invalid(path, errorMessage(error));
  }
}

function sizeOf(directory: string, digest: Digest, path: string): number {
  const found = statSync(blobPath(directory, digest), { throwIfNoEntry: false });
  if (found === undefined) throw invalid(path, `${digest} is missing`);
  return found.size;
}

async function store(content: ContentStore, directory: string, desc: Descriptor, signal: AbortSignal): Promise<void> {
  if ((await content.stat(desc.digest)) !== undefined) return;
  const file = blobPath(directory, desc.digest);
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true)
    throw invalid(directory, `${desc.digest} is missing`);
  await content.push(desc, createReadStream(file), { signal });
}

function blobPath(directory: string, digest: Digest): string {
  const { algorithm, hex } = splitDigest(digest);
  return join(directory, "blobs", algorithm, hex);
}

function invalid(path: string, why: string, hint?: string): TsbuildError {
  return new TsbuildError(`Cannot use the OCI layout ${path}: ${why}`, {
    code: "E_LAYOUT",
    hint: hint ?? "give the directory that holds index.json: oci-layout://DIR:TAG",
  });
}
