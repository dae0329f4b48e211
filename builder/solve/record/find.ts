import { redactUrls } from "../../base/redact-url.ts";
import { TsbuildError } from "../../../native/errors.ts";
import { normalizeReference } from "../../../store/oci/reference.ts";
import type { BuildRecords } from "../../../store/history/builds.ts";
import { parseBuildRecord, type BuildRecord } from "./record.ts";

/**
 * The last build that `wanted` means: a name or ID of the image it made, its own ID, or the context it built.
 * Without `wanted`: the last build of `directory`, or of all when that was never built.
 * @throws E_BUILD_NOT_FOUND
 */
export function findBuild(
  records: BuildRecords,
  wanted: string | undefined,
  directory: { readonly current: string; readonly named: string | undefined },
): BuildRecord {
  let last: BuildRecord | undefined;
  const names = wanted === undefined ? [] : namesOf(wanted);
  for (const id of records.list()) {
    const record = parseBuildRecord(records.read(id));
    if (record === undefined) continue;
    last ??= record;
    if (wanted === undefined ? record.context === directory.current : matches(record, wanted, names, directory.named))
      return record;
  }
  if (wanted === undefined && last !== undefined) return last;
  throw new TsbuildError(
    wanted === undefined ? "Cannot find a build: none is recorded" : `Cannot find a build of ${redactUrls(wanted)}`,
    {
      code: "E_BUILD_NOT_FOUND",
      hint:
        wanted === undefined
          ? "build something: tsbuild -t app ."
          : "name an image, a build or a directory: tsbuild why app",
    },
  );
}

/** The last build of a directory, and of a Dockerfile if one is given. */
export function findBuildOf(
  records: BuildRecords,
  wanted: { readonly context: string; readonly dockerfile: string | undefined },
): BuildRecord | undefined {
  for (const id of records.list()) {
    const record = parseBuildRecord(records.read(id));
    if (record?.context !== wanted.context) continue;
    if (wanted.dockerfile === undefined || record.dockerfile === wanted.dockerfile) return record;
  }
  return undefined;
}

function matches(
  record: BuildRecord,
  wanted: string,
  names: readonly string[],
  directory: string | undefined,
): boolean {
  const hex = wanted.replace(/^sha256:/, "");
  const id =
    /^[0-9a-f]{4,64}$/.test(hex) &&
    [record.imageID, record.manifestDigest].some((one) => one?.startsWith(`sha256:${hex}`) === true);
  return id || record.id === wanted || names.some((name) => record.tags.includes(name)) || record.context === directory;
}

function namesOf(wanted: string): readonly string[] {
  try {
    return [normalizeReference(wanted)];
  } catch {
    return [];
  }
}
