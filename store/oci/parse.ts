import { TsbuildError } from "../../native/errors.ts";
import type { Descriptor } from "./descriptor.ts";
import { isDigest } from "./digest.ts";
import {
  asObject,
  invalid,
  isText,
  isTexts,
  maxDocument,
  parseObject,
  textTable,
  withoutNulls,
  type Json,
} from "./json.ts";
import type { Index, Manifest } from "./manifest.ts";
import { MediaType } from "./mediatype.ts";
import type { Platform } from "./platform.ts";
import { lookalikeKey } from "./strict-json.ts";

const fields = new Set(
  "schemaVersion mediaType artifactType config layers manifests subject annotations blobs".split(" "),
);
const descriptorFields = new Set("mediaType digest size urls annotations platform data artifactType".split(" "));
const kinds: ReadonlyMap<string, "manifest" | "index"> = new Map([
  [MediaType.ociManifest, "manifest"],
  [MediaType.dockerManifest, "manifest"],
  [MediaType.ociIndex, "index"],
  [MediaType.dockerList, "index"],
]);

/**
 * A manifest or an index from its bytes. What one reader takes for a manifest and another for an index is refused, and
 * so are keys that are there twice or differ from a known one in case alone. @throws E_MANIFEST_INVALID
 */
export function parseManifest(
  bytes: Uint8Array,
  mediaType: string | undefined,
): { readonly kind: "manifest"; readonly value: Manifest } | { readonly kind: "index"; readonly value: Index } {
  const json = withoutNulls(parseObject(bytes, "manifest"));
  checkKeys(json, fields);
  const type = isText(json["mediaType"]) ? json["mediaType"] : mediaType;
  if (json["schemaVersion"] !== 2) throw wrongVersion(json["schemaVersion"]);
  const kind = kindOf(json, [type, mediaType]);
  if (kind === "index") {
    const manifests = list(json, "manifests");
    return { kind, value: { ...json, schemaVersion: 2, mediaType: type ?? MediaType.ociIndex, manifests } };
  }
  const config = descriptor(json["config"], "config");
  if (config.size > maxDocument) throw invalid(`a config of ${config.size} bytes is too large`);
  const layers = list(json, "layers");
  return {
    kind,
    value: { ...json, schemaVersion: 2, mediaType: type ?? MediaType.ociManifest, config, layers },
  };
}

/** What it is by its fields; the media types that it and its server name say the same. */
function kindOf(json: Json, types: readonly (string | undefined)[]): "manifest" | "index" {
  const said = types.flatMap((type) => kinds.get(type ?? "") ?? []);
  const kind = kindByFields(json) ?? emptyIndex(json, said);
  if (kind === undefined) throw invalid("it is neither an image manifest nor an index");
  const named = said.find((one) => one !== kind);
  if (named !== undefined) throw invalid(`its type says that it is an ${named}, its fields that it is an ${kind}`);
  return kind;
}

/** A list that is not there is one with nothing in it: Go writes that as null or not at all. */
function kindByFields(json: Json): "manifest" | "index" | undefined {
  const [manifests, layers, config] = [json["manifests"], json["layers"], json["config"]];
  if (Array.isArray(manifests)) return layers === undefined && config === undefined ? "index" : undefined;
  const listed = layers === undefined || Array.isArray(layers);
  return listed && config !== undefined && manifests === undefined ? "manifest" : undefined;
}

/** Without any field of either kind it is what its type says, where that may be empty. */
function emptyIndex(json: Json, said: readonly string[]): "index" | undefined {
  const bare = ["manifests", "layers", "config"].every((field) => json[field] === undefined);
  return bare && said.includes("index") ? "index" : undefined;
}

function wrongVersion(version: unknown): TsbuildError {
  if (version === 1) return schema1();
  return invalid(`its schema version is ${JSON.stringify(version)?.slice(0, 100)}, not 2`);
}

/** What registries and Docker wrote before 2017. */
export function schema1(): TsbuildError {
  return new TsbuildError("Cannot read the manifest: it is of Docker's schema 1, which is not supported", {
    code: "E_MANIFEST_INVALID",
    hint: "whoever publishes the image has to push it again with a Docker of this decade: schema 1 ended in 2017",
  });
}

function list(json: Json, field: "manifests" | "layers"): readonly Descriptor[] {
  const values: unknown = json[field];
  return Array.isArray(values) ? values.map((one) => descriptor(one, field)) : [];
}

function descriptor(value: unknown, where: string): Descriptor {
  const json = asObject(value);
  const { digest, size, urls, annotations } = json ?? {};
  const mediaType = json?.["mediaType"] ?? "application/octet-stream";
  if (json === undefined || !isText(digest) || !isDigest(digest)) throw invalid(`invalid digest in ${where}`);
  checkKeys(json, descriptorFields);
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) throw invalid(`invalid size in ${where}`);
  if (!isText(mediaType)) throw invalid(`invalid media type in ${where}`);
  if ((urls ?? undefined) !== undefined && !isTexts(urls)) throw invalid(`invalid urls in ${where}`);
  const noted = textTable(annotations ?? {});
  if (noted === undefined) throw invalid(`invalid annotations in ${where}`);
  const platform = parsePlatformField(json["platform"]);
  const rest = withoutNulls(json, ["platform", "urls", "annotations"]);
  return {
    ...rest,
    mediaType,
    digest,
    size,
    ...(isTexts(urls) ? { urls } : {}),
    ...(asObject(annotations) === undefined ? {} : { annotations: noted }),
    ...(platform === undefined ? {} : { platform }),
  };
}

function parsePlatformField(value: unknown): Platform | undefined {
  const json = asObject(value);
  if (json === undefined) return undefined;
  const { architecture, os, variant } = json;
  if (!isText(architecture) || !isText(os) || architecture === "" || os === "") return undefined;
  return {
    ...withoutNulls(json, ["variant"]),
    architecture,
    os,
    ...(isText(variant) && variant !== "" ? { variant } : {}),
  };
}

function checkKeys(json: Json, known: ReadonlySet<string>): void {
  const other = lookalikeKey(json, known);
  if (other !== undefined) throw invalid(`its key ${JSON.stringify(other)} is nearly one that it may have`);
}
