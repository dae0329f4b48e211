import { TsbuildError } from "../../native/errors.ts";
import type { Manifest } from "./manifest.ts";
import { MediaType } from "./mediatype.ts";

/** Types of an image's config. Those without a vendor are what registries once gave for it. @see docker's distribution */
const configs: ReadonlySet<string> = new Set([
  MediaType.ociConfig,
  MediaType.dockerConfig,
  "application/octet-stream",
  "application/json",
  "text/html",
  "",
]);
const layers =
  /^(?:application\/vnd\.(?:oci\.image\.layer\.|docker\.image\.rootfs\.).*|application\/(?:octet-stream|(?:x-)?g?zip|(?:x-)?tar(?:\+gzip)?)|)$/;

/**
 * The type of a manifest that is no image: a chart, a signature, an attestation, a list of parts; undefined: it is one.
 * Some have the config of an image all the same: their layers tell.
 */
export function artifactType({ artifactType: own, config, layers: parts }: Manifest): string | undefined {
  const empty = config.mediaType === "application/vnd.oci.empty.v1+json";
  if (!configs.has(config.mediaType)) return own ?? (empty ? (parts[0]?.mediaType ?? "unknown") : config.mediaType);
  if (parts.length === 0 || parts.some(({ mediaType }) => layers.test(mediaType))) return undefined;
  return own ?? parts[0]?.mediaType ?? "unknown";
}

/** @throws E_NOT_AN_IMAGE for a manifest that is no image's */
export function requireImage(manifest: Manifest, name: string): void {
  const type = artifactType(manifest);
  if (type !== undefined) throw notAnImage(name, [type]);
}

/** `types`: of what is there in the place of images. */
export function notAnImage(name: string, types: readonly string[]): TsbuildError {
  const shown = [...new Set(types)].slice(0, 5).join(", ");
  const chart = types.some((type) => type.startsWith("application/vnd.cncf.helm."));
  return new TsbuildError(`Cannot use ${name}: it is not an image but an artifact (${shown})`, {
    code: "E_NOT_AN_IMAGE",
    hint: chart
      ? `a Helm chart is fetched by helm: helm pull oci://${name.replace(/@.*$|:[^/:]*$/, "")}`
      : `signatures, charts and lists of parts have tools of their own; any of them is fetched by: oras pull ${name}`,
  });
}
