import { TsbuildError } from "../../native/errors.ts";
import type { ImageConfig } from "./config.ts";
import type { Descriptor } from "./descriptor.ts";
import { isDigest } from "./digest.ts";
import type { Index, Manifest } from "./manifest.ts";
import { MediaType } from "./mediatype.ts";
import { formatPlatform, matchPlatform, type Platform } from "./platform.ts";

/** No manifest or config is larger; a larger one is an attack on memory. @see distribution-spec */
export const maxDocument: number = 4 << 20;

type Json = Readonly<Record<string, unknown>>;

/** A manifest or an index from its bytes. @throws E_MANIFEST_INVALID */
export function parseManifest(
  bytes: Uint8Array,
  mediaType: string | undefined,
): { readonly kind: "manifest"; readonly manifest: Manifest } | { readonly kind: "index"; readonly index: Index } {
  const json = parseObject(bytes, "manifest");
  const type = typeof json["mediaType"] === "string" ? json["mediaType"] : mediaType;
  if (json["schemaVersion"] !== 2) {
    throw invalid(`its schema version is ${JSON.stringify(json["schemaVersion"])}, not 2`);
  }
  if (Array.isArray(json["manifests"]) && !Array.isArray(json["layers"])) {
    const manifests = json["manifests"].map((one) => descriptor(one, "manifests"));
    return { kind: "index", index: { ...json, schemaVersion: 2, mediaType: type ?? MediaType.ociIndex, manifests } };
  }
  if (!Array.isArray(json["layers"]) || json["manifests"] !== undefined) {
    throw invalid("it is neither an image manifest nor an index");
  }
  const config = descriptor(json["config"], "config");
  const layers = json["layers"].map((one) => descriptor(one, "layers"));
  return {
    kind: "manifest",
    manifest: { ...json, schemaVersion: 2, mediaType: type ?? MediaType.ociManifest, config, layers },
  };
}

/** An image config from its bytes; unknown fields are kept. @throws E_CONFIG_INVALID */
export function parseConfig(bytes: Uint8Array): ImageConfig {
  const json = parseObject(bytes, "config");
  const rootfs = object(json["rootfs"]);
  const diffs = rootfs?.["diff_ids"] ?? [];
  if (typeof json["architecture"] !== "string" || typeof json["os"] !== "string")
    throw badConfig("it names no platform");
  if (!Array.isArray(diffs) || !diffs.every((one) => typeof one === "string" && isDigest(one))) {
    throw badConfig("its diff_ids are no list of digests");
  }
  const config = object(json["config"]) ?? {};
  for (const name of ["Env", "Cmd", "Entrypoint", "OnBuild", "Shell"]) checkList(config[name], name);
  for (const name of ["User", "WorkingDir", "StopSignal"]) checkText(config[name], name);
  for (const name of ["ExposedPorts", "Volumes", "Labels", "Healthcheck"]) checkObject(config[name], name);
  for (const name of ["author", "variant", "os.version"]) checkText(json[name], name);
  checkList(json["os.features"], "os.features");
  const lines = json["history"] ?? [];
  if (!Array.isArray(lines) || !lines.every((line) => object(line) !== undefined))
    throw badConfig("history is no list");
  // Every field that is used was checked above; null stands for "not there" in Docker's configs.
  return withoutNulls({
    ...json,
    config: withoutNulls(config),
    rootfs: { type: "layers", diff_ids: diffs },
  }) as unknown as ImageConfig;
}

/** The manifest of an index that fits a platform best. @throws E_PLATFORM_MISSING */
export function selectManifest(index: Index, wanted: Platform, name: string): Descriptor {
  const offered = index.manifests.filter(({ platform }) => platform?.os !== "unknown");
  const ranked = offered
    .map((one) => ({ one, rank: one.platform === undefined ? 1000 : matchPlatform(wanted, one.platform) }))
    .filter(({ rank }) => rank !== undefined)
    .toSorted((a, b) => (a.rank ?? 0) - (b.rank ?? 0));
  const [best] = ranked;
  if (best !== undefined) return best.one;
  const list = offered.flatMap(({ platform }) => (platform === undefined ? [] : [formatPlatform(platform)]));
  throw new TsbuildError(`Cannot use ${name}: it has no image for ${formatPlatform(wanted)}`, {
    code: "E_PLATFORM_MISSING",
    notes: [`it has: ${list.join(", ")}`],
    hint: `choose one of these: --platform=${list[0] ?? "linux/amd64"}`,
  });
}

function descriptor(value: unknown, where: string): Descriptor {
  const json = object(value);
  const { mediaType, digest, size } = json ?? {};
  if (json === undefined || typeof digest !== "string" || !isDigest(digest))
    throw invalid(`a digest in ${where} is none`);
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) throw invalid(`a size in ${where} is none`);
  if (mediaType !== undefined && typeof mediaType !== "string") throw invalid(`a media type in ${where} is none`);
  const platform = parsePlatformField(json["platform"]);
  const rest = { ...json };
  delete rest["platform"];
  return {
    ...rest,
    mediaType: mediaType ?? "application/octet-stream",
    digest,
    size,
    ...(platform === undefined ? {} : { platform }),
  };
}

function parsePlatformField(value: unknown): Platform | undefined {
  const json = object(value);
  if (json === undefined) return undefined;
  const { architecture, os, variant } = json;
  if (typeof architecture !== "string" || typeof os !== "string") return undefined;
  return { ...json, architecture, os, ...(typeof variant === "string" && variant !== "" ? { variant } : {}) };
}

function parseObject(bytes: Uint8Array, what: string): Json {
  if (bytes.byteLength > maxDocument) throw invalid(`a ${what} of ${bytes.byteLength} bytes is too large`);
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (error) {
    throw new TsbuildError(`Cannot read the ${what}: it is not JSON`, { code: "E_MANIFEST_INVALID", cause: error });
  }
  const json = object(value);
  if (json === undefined) throw invalid(`the ${what} is no object`);
  return json;
}

function object(value: unknown): Json | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}

function withoutNulls(json: Json): Json {
  return Object.fromEntries(Object.entries(json).filter(([, value]) => value !== null));
}

function checkList(value: unknown, name: string): void {
  const good =
    value === undefined || value === null || (Array.isArray(value) && value.every((one) => typeof one === "string"));
  if (!good) throw badConfig(`${name} is no list of strings`);
}

function checkText(value: unknown, name: string): void {
  if (value !== undefined && value !== null && typeof value !== "string") throw badConfig(`${name} is no string`);
}

function checkObject(value: unknown, name: string): void {
  if (value !== undefined && value !== null && object(value) === undefined) throw badConfig(`${name} is no object`);
}

function invalid(why: string): TsbuildError {
  return new TsbuildError(`Cannot read the manifest: ${why}`, { code: "E_MANIFEST_INVALID" });
}

function badConfig(why: string): TsbuildError {
  return new TsbuildError(`Cannot read the image config: ${why}`, { code: "E_CONFIG_INVALID" });
}
