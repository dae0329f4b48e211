import { TsbuildError } from "../native/errors.ts";
import type { CacheMounts } from "./cache-mounts.ts";
import type { LocalContentStore } from "./content/local.ts";
import type { Database } from "./database.ts";
import type { FetchedFiles } from "./fetched.ts";
import type { GitRepositories } from "./git-repositories.ts";
import type { Holds } from "./holds.ts";
import { danglingPrefix } from "./image/stored.ts";
import { lastUseLimit } from "./last-use.ts";
import { isDigest, type Digest } from "./oci/digest.ts";
import { Reachable } from "./reachable.ts";
import type { OverlaySnapshotter, SnapshotRecord } from "./snapshot/overlay.ts";
import type { Collected, CollectOptions, ImageRef } from "./store.ts";
import type { Trash } from "./trash.ts";

interface Parts {
  readonly db: Database;
  readonly content: LocalContentStore;
  readonly snapshots: OverlaySnapshotter;
  readonly cacheMounts: CacheMounts;
  readonly fetched: FetchedFiles;
  readonly git: GitRepositories;
  readonly holds: Holds;
  readonly refs: () => readonly ImageRef[];
  readonly trash: Trash;
}

/** So many snapshots and blobs go at once: others wait to write meanwhile, and a full disk has room for a part only. */
const atOnce = 64;

/**
 * Removes what no image name, no remembered step and no other process leads to. Others go on with what they do: what they
 * hold stays, with all it leads to.
 *
 * Each part goes in one transaction, so that nobody records anything meanwhile; there, what is to go is first claimed,
 * which fails for what is held, then looked for once more where no transaction keeps others from naming it. What a lookup
 * of another process finds was held before it looked, so it is either kept here or not found there.
 */
export function collect(parts: Parts, options: CollectOptions): Collected {
  const reachable = new Reachable((digest) => parts.content.path(digest));
  reachable.follow(
    parts.refs().map(({ target }) => target.digest),
    { blobs: new Set(), chains: new Set() },
  ); // what others wait for is short then
  const images = parts.db.transaction(() => removeNames(parts, options));
  const total = { blobs: 0, snapshots: 0, steps: 0, bytes: 0 };
  try {
    for (let isDone = false; !isDone;) {
      const part = trySweep(parts, options, reachable);
      const hasRoom = parts.trash.empty() > 0;
      if (part instanceof TsbuildError) {
        // What went into the trash has made the room that its records lacked.
        if (!hasRoom) throw part;
        continue;
      }
      for (const key of ["blobs", "snapshots", "steps", "bytes"] as const) total[key] += part[key];
      isDone = part.isDone;
    }
  } finally {
    parts.trash.empty();
  }
  const { unusedFor } = options;
  if (unusedFor !== undefined) {
    total.bytes += parts.cacheMounts.collect(unusedFor, parts.trash) + parts.git.collect(unusedFor, parts.trash);
    parts.trash.empty();
  }
  return { ...total, images };
}

/** The error of a disk without room for the records is returned. */
function trySweep(parts: Parts, options: CollectOptions, reachable: Reachable): Swept | TsbuildError {
  try {
    return parts.holds.claimed((claim) => parts.db.transaction(() => sweep(parts, options, reachable, claim)));
  } catch (error) {
    if (error instanceof TsbuildError && error.code === "E_NO_SPACE") return error;
    throw error;
  }
}

/** An image that somebody uses keeps its names. */
function removeNames({ db, holds, refs }: Parts, options: CollectOptions): readonly ImageRef[] {
  const isHeld = holds.others();
  const chosen = new Map(options.images?.map(({ name, target }) => [name, target.digest]));
  const removed = refs().filter(({ name, target }) => {
    const isWanted =
      chosen.get(name) === target.digest || (options.dangling === true && name.startsWith(danglingPrefix));
    return isWanted && !isHeld(target.digest);
  });
  for (const { name } of removed) db.run("DELETE FROM refs WHERE name = ?", name);
  return removed;
}

type Swept = Omit<Collected, "images"> & { readonly isDone: boolean };

/** All in the records that leads to something, and what is there. */
interface Found {
  readonly records: readonly SnapshotRecord[];
  readonly byID: ReadonlyMap<string, SnapshotRecord>;
  readonly blobs: ReturnType<LocalContentStore["list"]>;
  /** What images and other processes lead to; snapshots by ID. */
  readonly kept: { readonly blobs: Set<Digest>; readonly snapshots: Set<string> };
}

function sweep(parts: Parts, options: CollectOptions, reachable: Reachable, claim: (name: string) => boolean): Swept {
  const { db, content, fetched } = parts;
  const found = look(parts, reachable);
  const steps = forgetSteps(db, options, found);
  for (const row of db.all("SELECT DISTINCT snapshot FROM steps WHERE snapshot IS NOT NULL"))
    mark(String(row["snapshot"]), found.byID, found.kept.snapshots);
  const snapshots = claimSnapshots(found, claim);
  const urls = fetched.collect(options.unusedFor);
  const isNeeded = (digest: Digest): boolean => found.kept.blobs.has(digest) || urls.has(digest);
  const claimed = take(found.blobs, ({ digest }) => !isNeeded(digest) && claim(digest));
  // Whoever wrote down meanwhile that a URL gave one of them held it until then: it was claimed after that.
  const later = fetched.collect(options.unusedFor);
  const blobs = claimed.filter(({ digest }) => !later.has(digest));
  const result = {
    steps,
    snapshots: 0,
    blobs: 0,
    bytes: 0,
    isDone: snapshots.length < atOnce && claimed.length < atOnce,
  };
  for (const { id, layer, size } of snapshots) {
    parts.snapshots.remove(id, parts.trash);
    result.snapshots++;
    if (layer === undefined) result.bytes += size;
  }
  for (const { digest, size } of blobs) {
    content.remove(digest, parts.trash);
    result.blobs++;
    result.bytes += size;
  }
  forgetCompressed(db, new Set(blobs.map(({ digest }) => digest)));
  return result;
}

function look({ content, snapshots, holds, refs }: Parts, reachable: Reachable): Found {
  const isHeld = holds.others();
  const records = snapshots.records();
  const byID = new Map(records.map((record) => [record.id, record]));
  const byChain = new Map(records.map(({ id, chain }) => [chain, id]));
  const blobs = content.list();
  const led = { blobs: new Set<Digest>(), chains: new Set<string>() };
  reachable.follow(
    blobs.flatMap(({ digest }) => (isHeld(digest) ? [digest] : [])),
    led,
  );
  reachable.follow(
    refs().map(({ target }) => target.digest),
    led,
  );
  const kept = { blobs: led.blobs, snapshots: new Set<string>() };
  for (const { id } of records) if (isHeld(id)) mark(id, byID, kept.snapshots);
  for (const chain of led.chains) {
    const id = byChain.get(chain);
    if (id !== undefined) mark(id, byID, kept.snapshots);
  }
  return { records, byID, blobs, kept };
}

/** Adds a snapshot with all below it and the layers that they stand for. */
function mark(id: string, byID: Found["byID"], marked: Set<string>): void {
  for (let at = byID.get(id); at !== undefined && !marked.has(at.id);) {
    marked.add(at.id);
    if (at.layer !== undefined) marked.add(at.layer);
    at = at.parent === undefined ? undefined : byID.get(at.parent);
  }
}

/** A step that is forgotten while somebody uses its result has to be run the next time; the result stays until then. */
function forgetSteps(db: Database, { unusedFor, keepShared }: CollectOptions, { kept }: Found): number {
  if (unusedFor === undefined) return 0;
  let count = 0;
  for (const row of db.all("SELECT id, snapshot FROM steps WHERE used <= ?", lastUseLimit(unusedFor))) {
    if (keepShared === true && kept.snapshots.has(String(row["snapshot"]))) continue;
    db.run("DELETE FROM step_keys WHERE step = ?", Number(row["id"]));
    count += db.run("DELETE FROM steps WHERE id = ?", Number(row["id"]));
  }
  return count;
}

/**
 * Children first: a snapshot is never there without the one below it, nor a link without its layer, which has none. One
 * that somebody holds since it was looked for is kept, with all it stands on.
 */
function claimSnapshots(found: Found, claim: (name: string) => boolean): readonly SnapshotRecord[] {
  const { records, byID, kept } = found;
  const depths = depthsOf(records, byID);
  const ordered = records.toSorted((a, b) => (depths.get(b.id) ?? 0) - (depths.get(a.id) ?? 0));
  return take(ordered, ({ id }) => {
    if (kept.snapshots.has(id)) return false;
    if (claim(id)) return true;
    mark(id, byID, kept.snapshots);
    return false;
  });
}

function depthsOf(records: readonly SnapshotRecord[], byID: Found["byID"]): ReadonlyMap<string, number> {
  const depths = new Map<string, number>();
  for (const record of records) {
    const path: SnapshotRecord[] = [];
    let at: SnapshotRecord | undefined = record;
    while (at !== undefined && !depths.has(at.id)) {
      path.push(at);
      at = at.parent === undefined ? undefined : byID.get(at.parent);
    }
    let depth = at === undefined ? -1 : (depths.get(at.id) ?? -1);
    for (const one of path.toReversed()) depths.set(one.id, ++depth);
  }
  return depths;
}

/** The first that are wanted, as many as go at once. */
function take<T>(all: readonly T[], isWanted: (one: T) => boolean): readonly T[] {
  const taken: T[] = [];
  for (const one of all) {
    if (taken.length === atOnce) break;
    if (isWanted(one)) taken.push(one);
  }
  return taken;
}

function forgetCompressed(db: Database, gone: ReadonlySet<Digest>): void {
  if (gone.size === 0) return;
  for (const row of db.all("SELECT diff, media_type, descriptor FROM compressed")) {
    const { digest }: { digest?: unknown } = JSON.parse(String(row["descriptor"]));
    if (typeof digest === "string" && isDigest(digest) && !gone.has(digest)) continue;
    db.run("DELETE FROM compressed WHERE diff = ? AND media_type = ?", String(row["diff"]), String(row["media_type"]));
  }
}
