import { TsbuildError } from "../../native/errors.ts";
import { artifactType, notAnImage } from "../oci/artifact.ts";
import { imageOf, isUnknown, manifestsOf, type DocumentSource } from "../oci/choose.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { manifestDocument } from "../oci/document.ts";
import type { Image } from "../oci/image.ts";
import { MediaType } from "../oci/mediatype.ts";
import { parseManifest } from "../oci/parse.ts";
import { normalizeReference } from "../oci/reference.ts";
import type { ArchiveEntries } from "./archive-entries.ts";
import { requireFile, readText } from "./archive-docker.ts";
import { archivedName, archiveError } from "./archive-error.ts";
import type { ArchiveImage } from "./archive-image.ts";
import type { StagedBlobs } from "./staged.ts";

/** What is there of a manifest: an image or an artifact with all its parts, or why it cannot be had. */
type Found =
  | { readonly kind: "image"; readonly image: Image; readonly parts: readonly Descriptor[] }
  | { readonly kind: "artifact"; readonly type: string; readonly parts: readonly Descriptor[] }
  | { readonly kind: "none"; readonly why: TsbuildError };

type Target = Pick<ArchiveImage, "target" | "names">;

/**
 * Images of an archive that is an OCI layout, each once. Platforms that an index lists and the archive does not have are
 * left out, as in what docker saves of an image that it has for one platform.
 * @throws E_ARCHIVE_INVALID, E_NOT_AN_IMAGE, E_SIZE_MISMATCH
 */
export async function ociImages(staged: StagedBlobs, entries: ArchiveEntries): Promise<readonly ArchiveImage[]> {
  const text = await readText(staged, requireFile(entries, "index.json"));
  const top = parseManifest(Buffer.from(text), MediaType.ociIndex);
  if (top.kind !== "index") throw archiveError("index.json is not an index");
  const images: ArchiveImage[] = [];
  let why: TsbuildError | undefined;
  for (const one of targetsOf(top.value.manifests)) {
    const found = await readTarget(staged, one).catch(oddDocument);
    if (!(found instanceof TsbuildError)) images.push(found);
    else if (one.names.length > 0) throw found;
    else why ??= found;
  }
  if (images.length === 0 && why !== undefined) throw why;
  return images;
}

/** Each document that is listed, with all names that it is listed under. */
function targetsOf(manifests: readonly Descriptor[]): readonly Target[] {
  const targets = new Map<Digest, Target>();
  for (const one of manifests) {
    const { mediaType, digest, size } = one;
    const before = targets.get(digest)?.names ?? [];
    targets.set(digest, { target: { mediaType, digest, size }, names: [...new Set([...before, ...namesOf(one)])] });
  }
  return [...targets.values()];
}

/** As containerd and docker name an image, else as podman and skopeo do, where it may be a tag alone, which is no name. */
function namesOf({ annotations }: Descriptor): readonly string[] {
  const full = annotations?.["io.containerd.image.name"] ?? "";
  if (full !== "") return [archivedName(full)];
  const other = annotations?.["org.opencontainers.image.ref.name"] ?? "";
  if (!/[/:]/.test(other)) return [];
  try {
    return [normalizeReference(other)];
  } catch {
    return [];
  }
}

/** The image, or why there is none. */
async function readTarget(staged: StagedBlobs, { target, names }: Target): Promise<ArchiveImage | TsbuildError> {
  const documents: Descriptor[] = [];
  const source = recording(staged, documents);
  const top = await source.manifest(target);
  if (top === undefined) return missing(target);
  const listed = top.kind === "index" ? await manifestsOf(source, top.value) : [target];
  const indexes = top.kind === "index" ? documents.toReversed() : [];
  const found: Found[] = [];
  for (const one of listed) found.push(await findWhole(staged, one));
  const images = found.flatMap((one) => (one.kind === "image" ? [one.image] : []));
  const parts = found.flatMap((one) => (one.kind === "none" ? [] : one.parts));
  return images.length === 0 ? whyNone(found) : { target, names, images, parts: [...parts, ...indexes] };
}

/** What is read is noted, the outermost first. */
function recording(staged: StagedBlobs, documents: Descriptor[]): Pick<DocumentSource, "manifest"> {
  return {
    manifest: async (desc) => {
      if ((await staged.size(desc.digest)) === undefined) return undefined;
      documents.push(desc);
      return manifestDocument(desc, await staged.read(desc));
    },
  };
}

async function findWhole(staged: StagedBlobs, descriptor: Descriptor): Promise<Found> {
  if ((await staged.size(descriptor.digest)) === undefined) return { kind: "none", why: missing(descriptor) };
  const bytes = await staged.read(descriptor);
  try {
    const manifest = manifestDocument(descriptor, bytes);
    if (manifest.kind === "index") return { kind: "none", why: archiveError(`${descriptor.digest} is an index`) };
    const { config, layers } = manifest.value;
    const parts = [...layers, config, descriptor];
    const absent = await firstAbsent(staged, parts);
    if (absent !== undefined) return { kind: "none", why: missing(absent) };
    const type = isUnknown(descriptor.platform) ? "an attestation" : artifactType(manifest.value);
    if (type !== undefined) return { kind: "artifact", type, parts };
    const read = async (desc: Descriptor): Promise<Uint8Array> => await staged.read(desc);
    const image = await imageOf({ config: read }, manifest);
    return image === undefined ? { kind: "none", why: missing(config) } : { kind: "image", image, parts };
  } catch (error) {
    return { kind: "none", why: oddDocument(error) };
  }
}

/** Why what is beside the images cannot be read. */
function oddDocument(error: unknown): TsbuildError {
  if (error instanceof TsbuildError && /^E_(?:MANIFEST|CONFIG)_INVALID$/.test(error.code)) return error;
  throw error;
}

/** @throws E_SIZE_MISMATCH for a part that is there with another size */
async function firstAbsent(staged: StagedBlobs, parts: readonly Descriptor[]): Promise<Descriptor | undefined> {
  for (const part of parts) {
    const size = await staged.size(part.digest);
    // A layer that others must not distribute is at its URLs.
    if (size === undefined && (part.urls ?? []).length === 0) return part;
    if (size !== undefined && size !== part.size)
      throw archiveError(`${part.digest} has ${size} bytes, and its image says ${part.size}`);
  }
  return undefined;
}

function whyNone(found: readonly Found[]): TsbuildError {
  const types = found.flatMap((one) => (one.kind === "artifact" ? [one.type] : []));
  const [first] = found.flatMap((one) => (one.kind === "none" ? [one.why] : []));
  if (first !== undefined) return first;
  return types.length === 0 ? archiveError("it has no image") : notAnImage("what is in the archive", types);
}

function missing({ digest, platform }: Descriptor): TsbuildError {
  const of = platform === undefined ? "" : ` of ${platform.os}/${platform.architecture}`;
  return archiveError(`${digest}${of} is missing`);
}
