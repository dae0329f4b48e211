import { TsbuildError } from "../../native/errors.ts";
import { artifactType, notAnImage, requireImage } from "./artifact.ts";
import type { ImageConfig } from "./config.ts";
import type { Descriptor } from "./descriptor.ts";
import type { Digest } from "./digest.ts";
import type { Document, ManifestDocument } from "./document.ts";
import type { Image } from "./image.ts";
import { invalid } from "./json.ts";
import type { Index, Manifest } from "./manifest.ts";
import { MediaType } from "./mediatype.ts";
import { parseConfig } from "./parse-config.ts";
import { formatPlatform, matchPlatform, type Platform } from "./platform.ts";

/** Where an image's documents are: a store, a registry, a layout. undefined: it is not there. */
export interface DocumentSource {
  manifest(desc: Descriptor): Promise<ManifestDocument | undefined>;
  config(desc: Descriptor): Promise<Uint8Array | undefined>;
}

/** Indexes inside an index that are looked into, and manifests that all of them may list. */
const maxIndexes = 100;
const maxManifests = 100_000;
/** Those that say for what they are go before those that do not, and those before what is rather no image. */
const [unsaid, doubtful] = [1000, 2000];

/**
 * The image that a manifest is, or that an index has for a platform: the best that it lists, whether or not its documents
 * are there. undefined: they are not. @throws E_PLATFORM_MISSING, E_NOT_AN_IMAGE, E_MANIFEST_INVALID, E_CONFIG_INVALID
 */
export async function chooseImage(
  source: DocumentSource,
  target: Descriptor,
  request: { readonly name: string; readonly platform: Platform },
): Promise<Image | undefined> {
  const { name, platform } = request;
  const top = await source.manifest(target);
  if (top === undefined) return undefined;
  if (top.kind === "manifest") {
    requireImage(top.value, name);
    return await imageOf(source, top);
  }
  const manifests = await manifestsOf(source, top.value, platform);
  const artifacts: string[] = [];
  for (const descriptor of ranked(manifests, platform)) {
    const found = await source.manifest(descriptor);
    if (found?.kind !== "manifest") return undefined;
    const type = artifactType(found.value);
    if (type !== undefined) {
      artifacts.push(type);
      continue;
    }
    const image = await imageOf(source, found, top);
    if (descriptor.platform !== undefined || image === undefined || suits(image.config.value, platform)) return image;
  }
  throw noPlatform(manifests, request, artifacts);
}

/** Whether a machine of the platform takes an image of this config, which need not say its variant. */
export function suits(config: ImageConfig, platform: Platform): boolean {
  const { os, architecture, variant } = config;
  if (variant === undefined && os === platform.os && architecture === platform.architecture) return true;
  return matchPlatform(platform, config) !== undefined;
}

/**
 * The manifests that an index leads to, those of indexes inside it in their place; of indexes that are not there, none.
 * `wanted`: indexes for other platforms are not looked into. @throws E_MANIFEST_INVALID
 */
export async function manifestsOf(
  source: Pick<DocumentSource, "manifest">,
  index: Index,
  wanted?: Platform,
): Promise<readonly Descriptor[]> {
  const seen = new Set<Digest>();
  const found: Descriptor[] = [];
  const look = async ({ manifests }: Index, outer?: Platform): Promise<void> => {
    for (const one of manifests) {
      const platform = one.platform ?? outer;
      if (!isIndex(one)) {
        if (found.push(platform === undefined ? one : { ...one, platform }) > maxManifests)
          throw invalid(`more than ${maxManifests} manifests are inside of it`);
      } else if (!seen.has(one.digest) && !isForOther(platform, wanted)) {
        if (seen.add(one.digest).size > maxIndexes) throw invalid(`more than ${maxIndexes} indexes are inside of it`);
        const next = await source.manifest(one);
        if (next?.kind === "index") await look(next.value, platform);
      }
    }
  };
  await look(index);
  return found;
}

function isIndex({ mediaType }: Descriptor): boolean {
  return mediaType === MediaType.ociIndex || mediaType === MediaType.dockerList;
}

/** Attestations are listed as images for a platform that nobody has. */
export function isUnknown(platform: Platform | undefined): boolean {
  return platform?.os === "unknown" || platform?.architecture === "unknown";
}

/** What may serve a platform, the best first. */
export function ranked(manifests: readonly Descriptor[], wanted: Platform): readonly Descriptor[] {
  return manifests
    .filter(({ platform }) => !isUnknown(platform))
    .flatMap((one) => {
      const rank = one.platform === undefined ? unsaid : matchPlatform(wanted, one.platform);
      return rank === undefined ? [] : [{ one, rank: one.artifactType === undefined ? rank : rank + doubtful }];
    })
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ one }) => one);
}

function isForOther(platform: Platform | undefined, wanted: Platform | undefined): boolean {
  return wanted !== undefined && platform !== undefined && matchPlatform(wanted, platform) === undefined;
}

/** The image of a manifest, which the index lists; undefined: its config is not there. @throws E_CONFIG_INVALID */
export async function imageOf(
  source: Pick<DocumentSource, "config">,
  manifest: Document<Manifest>,
  index?: Document<Index>,
): Promise<Image | undefined> {
  const descriptor = manifest.value.config;
  const bytes = await source.config(descriptor);
  if (bytes === undefined) return undefined;
  const config = { descriptor, bytes, value: parseConfig(bytes) };
  return { ...(index === undefined ? {} : { index }), manifest, config };
}

function noPlatform(
  manifests: readonly Descriptor[],
  { name, platform }: { readonly name: string; readonly platform: Platform },
  artifacts: readonly string[],
): TsbuildError {
  const offered = manifests.flatMap((one) => (isUnknown(one.platform) ? [] : (one.platform ?? [])));
  const platforms = [...new Set(offered.map(formatPlatform))];
  if (platforms.length === 0 && artifacts.length > 0) return notAnImage(name, artifacts);
  const [first] = platforms;
  return new TsbuildError(`Cannot use ${name}: it has no image for ${formatPlatform(platform)}`, {
    code: "E_PLATFORM_MISSING",
    notes: [first === undefined ? "it has none at all" : `it has: ${platforms.slice(0, 40).join(", ")}`],
    hint: first === undefined ? "take another tag or digest" : `choose one of these: --platform=${first}`,
  });
}
