import type { Digest } from "../oci/digest.ts";
import { MediaType } from "../oci/mediatype.ts";
import { newImage } from "../oci/mutate.ts";
import { parseConfig } from "../oci/parse-config.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { ArchiveEntries } from "./archive-entries.ts";
import { archivedName, archiveError } from "./archive-error.ts";
import type { ArchiveImage } from "./archive-image.ts";
import type { StagedBlobs, StagedFile } from "./staged.ts";
import { once } from "../content/once.ts";

/** An image as `manifest.json` of docker's archives has it. */
export interface DockerItem {
  /** Paths in the archive. */
  readonly config: string;
  readonly layers: readonly string[];
  readonly names: readonly string[];
}

/** What `manifest.json` lists. @throws E_ARCHIVE_INVALID, E_REF_INVALID */
export async function dockerItems(staged: StagedBlobs, entries: ArchiveEntries): Promise<readonly DockerItem[]> {
  const list = parseList(await readText(staged, requireFile(entries, "manifest.json")));
  return list.map((item) => {
    const { Config, RepoTags, Layers }: { Config?: unknown; RepoTags?: unknown; Layers?: unknown } = item ?? {};
    const [layers, tags] = [Layers ?? [], RepoTags ?? []];
    if (typeof Config !== "string" || !isTextList(layers) || !isTextList(tags))
      throw archiveError("manifest.json is damaged");
    return { config: Config, layers, names: tags.map(archivedName) };
  });
}

/** Images of an archive that has no manifests: they are made here. */
export async function dockerImages(
  staged: StagedBlobs,
  entries: ArchiveEntries,
  items: readonly DockerItem[],
): Promise<readonly ArchiveImage[]> {
  const images: ArchiveImage[] = [];
  for (const { config: path, layers, names } of items) {
    const descriptor = describe(MediaType.ociConfig, requireFile(entries, path));
    const bytes = await staged.read(descriptor);
    const parts = layers.map((name) => layerDescriptor(requireFile(entries, name)));
    const image = newImage({ descriptor, bytes, value: parseConfig(bytes) }, parts);
    const target = image.manifest.descriptor;
    await staged.add(once(image.manifest.bytes));
    images.push({ target, names, images: [image], parts: [...parts, descriptor, target] });
  }
  return images;
}

/** The digests of the configs that `manifest.json` names, with their names. */
export function namesByConfig(
  entries: ArchiveEntries,
  items: readonly DockerItem[],
): ReadonlyMap<Digest, readonly string[]> {
  return new Map(
    items.flatMap(({ config, names }) => {
      const file = entries.get(config);
      return file === undefined ? [] : [[file.digest, names]];
    }),
  );
}

function parseList(text: string): readonly unknown[] {
  const list = parseJson(text) ?? [];
  if (!Array.isArray(list)) throw archiveError("manifest.json is not a list");
  return list;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw archiveError("manifest.json is not JSON", error);
  }
}

function layerDescriptor(file: StagedFile): Descriptor {
  const types: Readonly<Record<string, string>> = {
    gzip: MediaType.ociLayerGzip,
    zstd: MediaType.ociLayerZstd,
    none: MediaType.ociLayer,
  };
  const mediaType = types[file.compression];
  if (mediaType === undefined) throw archiveError(`a layer is compressed by ${file.compression}`);
  return describe(mediaType, file);
}

function describe(mediaType: string, { digest, size }: StagedFile): Descriptor {
  return { mediaType, digest, size };
}

export function requireFile(entries: ArchiveEntries, path: string): StagedFile {
  const found = entries.get(path);
  if (found === undefined) throw archiveError(`${path} is missing`);
  return found;
}

export async function readText(staged: StagedBlobs, file: StagedFile): Promise<string> {
  return Buffer.from(await staged.read(describe("application/json", file))).toString("utf8");
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}
