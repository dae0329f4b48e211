import { TsbuildError } from "../native/errors.ts";
import type { CacheMounts } from "./cache-mounts.ts";
import { danglingPrefix, isMissing } from "./image/stored.ts";
import type { Database } from "./database.ts";
import type { ContentStore } from "./content/store.ts";
import type { FetchedFiles } from "./fetched.ts";
import type { GitRepositories } from "./git-repositories.ts";
import { artifactType } from "./oci/artifact.ts";
import type { Descriptor } from "./oci/descriptor.ts";
import { chainID, isDigest, type Digest } from "./oci/digest.ts";
import { parseManifest } from "./oci/parse.ts";
import { parseConfig } from "./oci/parse-config.ts";
import type { Snapshot, Snapshotter } from "./snapshot/snapshotter.ts";
import type { Collected, CollectOptions, ImageRef } from "./store.ts";

interface Parts {
  readonly db: Database;
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly cacheMounts: CacheMounts;
  readonly fetched: FetchedFiles;
  readonly git: GitRepositories;
  readonly refs: () => readonly ImageRef[];
  /** IDs of snapshots that running containers stand on. */
  readonly pinned: readonly string[];
}

/**
 * Removes what no image name, no remembered step and no running container leads to. The caller holds the store alone:
 * nothing is built or pulled meanwhile.
 */
export async function collect(parts: Parts, options: CollectOptions): Promise<Collected> {
  const { db, content, snapshots } = parts;
  if (options.dangling === true)
    db.run("DELETE FROM refs WHERE substr(name, 1, ?) = ?", danglingPrefix.length, danglingPrefix);
  const steps = forgetSteps(db, options.unusedFor);
  const marked = { blobs: new Set(parts.fetched.collect(options.unusedFor)), snapshots: new Set<string>() };
  for (const { target } of parts.refs()) await markImage(parts, target, marked);
  for (const row of db.all("SELECT DISTINCT snapshot FROM steps WHERE snapshot IS NOT NULL")) {
    markSnapshot(snapshots.get(String(row["snapshot"])), marked.snapshots);
  }
  for (const id of parts.pinned) markSnapshot(snapshots.get(id), marked.snapshots);
  const result = { blobs: 0, snapshots: 0, steps, bytes: 0 };
  // Children first: a snapshot is never there without the one below it, nor a link without its layer, which has none.
  for (const snapshot of [...snapshots.list()].toSorted((a, b) => depth(b) - depth(a))) {
    if (marked.snapshots.has(snapshot.id)) continue;
    if (snapshot.layer === undefined) result.bytes += snapshots.identity(snapshot)?.size ?? 0;
    result.snapshots++;
    await snapshots.remove(snapshot);
  }
  for await (const { digest, size } of content.list()) {
    if (marked.blobs.has(digest)) continue;
    result.bytes += size;
    result.blobs++;
    await content.delete(digest);
  }
  if (options.unusedFor !== undefined)
    result.bytes += parts.cacheMounts.collect(options.unusedFor) + parts.git.collect(options.unusedFor);
  forgetCompressed(db, marked.blobs);
  return result;
}

function forgetSteps(db: Database, unusedFor: number | undefined): number {
  if (unusedFor === undefined) return 0;
  return db.transaction(() => {
    const limit = Date.now() - unusedFor;
    db.run("DELETE FROM step_keys WHERE step IN (SELECT id FROM steps WHERE used <= ?)", limit);
    return db.run("DELETE FROM steps WHERE used <= ?", limit);
  });
}

function forgetCompressed(db: Database, kept: ReadonlySet<Digest>): void {
  for (const row of db.all("SELECT diff, media_type, descriptor FROM compressed")) {
    const { digest }: { digest?: unknown } = JSON.parse(String(row["descriptor"]));
    if (typeof digest === "string" && isDigest(digest) && kept.has(digest)) continue;
    db.run("DELETE FROM compressed WHERE diff = ? AND media_type = ?", String(row["diff"]), String(row["media_type"]));
  }
}

async function markImage(
  parts: Parts,
  target: Descriptor,
  marked: { readonly blobs: Set<Digest>; readonly snapshots: Set<string> },
): Promise<void> {
  const { content, snapshots } = parts;
  if (marked.blobs.has(target.digest)) return;
  const bytes = await readIfThere(content, target);
  if (bytes === undefined) return;
  marked.blobs.add(target.digest);
  const parsed = readable(() => parseManifest(bytes, target.mediaType));
  if (parsed === undefined) return;
  if (parsed.kind === "index") {
    for (const one of parsed.index.manifests) await markImage(parts, one, marked);
    return;
  }
  const { config, layers } = parsed.manifest;
  for (const { digest } of [config, ...layers]) marked.blobs.add(digest);
  const document = artifactType(parsed.manifest) === undefined ? await readIfThere(content, config) : undefined;
  const image = document && readable(() => parseConfig(document));
  const chain = image && chainID(image.rootfs.diff_ids);
  markSnapshot(chain === undefined ? undefined : snapshots.find(chain), marked.snapshots);
}

/** What nobody can read leads to nothing; it is no reason to keep everything else. */
function readable<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof TsbuildError && /^E_(?:MANIFEST|CONFIG)_INVALID$/.test(error.code)) return undefined;
    throw error;
  }
}

/** A document that is damaged is as good as missing. */
async function readIfThere(content: ContentStore, desc: Descriptor): Promise<Uint8Array | undefined> {
  try {
    return await content.read(desc);
  } catch (error) {
    if (isMissing(error) || (error instanceof TsbuildError && error.code === "E_SIZE_MISMATCH")) return undefined;
    throw error;
  }
}

function markSnapshot(snapshot: Snapshot | undefined, marked: Set<string>): void {
  for (let at = snapshot; at !== undefined && !marked.has(at.id); at = at.parent) {
    marked.add(at.id);
    if (at.layer !== undefined) marked.add(at.layer.id);
  }
}

function depth(snapshot: Snapshot): number {
  let count = 0;
  for (let at = snapshot.parent; at !== undefined; at = at.parent) count++;
  return count;
}
