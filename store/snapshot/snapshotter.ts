import type { ChainID, DiffID } from "../oci/digest.ts";

/**
 * A committed, immutable layer directory and those below it.
 * `dir` holds what this layer alone adds (overlayfs form: whiteouts are 0/0 character devices,
 * opaque directories carry `trusted.overlay.opaque` or `user.overlay.opaque`).
 */
export interface Snapshot {
  readonly id: string;
  readonly parent: Snapshot | undefined;
  readonly dir: string;
  /** The snapshot without a parent whose directory this one stacks over its own: a link has no files itself. */
  readonly layer?: Snapshot;
}

/** The DiffID and ChainID of a snapshot, once they were computed. `size` is the bytes of the uncompressed tar. */
export interface SnapshotIdentity {
  readonly diffID: DiffID;
  readonly chainID: ChainID;
  readonly size: number;
  /** Latest time of its tar in nanoseconds, where the build was given one. */
  readonly epoch?: bigint;
}

/**
 * A writable directory over a parent. Never becomes a parent itself: commit() makes a Snapshot of it by a rename
 * and the active one is gone. Dispose without commit removes it with all it holds.
 */
export interface ActiveSnapshot extends AsyncDisposable {
  readonly id: string;
  readonly parent: Snapshot | undefined;
  /** Where changes land: overlayfs's upperdir. */
  readonly upper: string;
  /** overlayfs's workdir, taken when it is first asked for. */
  readonly work: string;
  /** Usable as a parent at once; durable and known to other processes after Snapshotter.persist(). */
  commit(): Snapshot;
  /**
   * As commit(), over a parent that was not known when it was prepared: layers of an image are unpacked side by side.
   * `ownRoot`: the layer says what its root directory's mode and owner are; otherwise they are the parent's.
   */
  commitOver(parent: Snapshot | undefined, options: { readonly ownRoot: boolean }): Snapshot;
}

/**
 * Layer directories shared by ChainID.
 *
 * A build prepares, commits and stacks snapshots freely; until persist() they belong to this process's lease and
 * vanish with it (also after kill -9: the next open of the store sweeps the directories of dead leases).
 * persist() makes one syncfs for all, then records them in one transaction. A ChainID that is recorded already
 * wins: the duplicate directory is dropped at the end of the lease and lookups return the recorded one.
 */
export interface Snapshotter {
  /** Synchronous and cheap: two mkdirs. */
  prepare(parent: Snapshot | undefined): ActiveSnapshot;
  /** Stacks what `layer`, which has no parent, adds over another parent; no file is made or copied. */
  link(parent: Snapshot, layer: Snapshot): Snapshot;
  /** What a lookup gives stays, with all it stands on, as long as this process has the store. */
  find(chainID: ChainID): Snapshot | undefined;
  get(id: string): Snapshot | undefined;
  identity(snapshot: Snapshot): SnapshotIdentity | undefined;
  /** Any recorded snapshot that adds the layer. */
  withDiff(diffID: DiffID): Snapshot | undefined;
  persist(done: readonly { readonly snapshot: Snapshot; readonly identity: SnapshotIdentity }[]): Promise<void>;
}

/**
 * The directories of a stack, topmost first: overlayfs's lowerdir order. One that is linked twice is there once, where
 * it is highest: that hides all it would show below, and overlayfs takes a directory only once.
 */
export function lowerDirs(snapshot: Snapshot | undefined): readonly string[] {
  const dirs = new Set<string>();
  for (let at = snapshot; at !== undefined; at = at.parent) dirs.add(at.dir);
  return [...dirs];
}

/** The snapshot whose directory has the metadata of the stack's root: a link says nothing of it. */
export function rootSnapshot(snapshot: Snapshot): Snapshot {
  let at = snapshot;
  while (at.layer !== undefined && at.parent !== undefined) at = at.parent;
  return at;
}

/** The directories that a snapshot's own one was compared with to name its layer: none for a link. */
export function comparedDirs(snapshot: Snapshot): readonly string[] {
  return snapshot.layer === undefined ? lowerDirs(snapshot.parent) : [];
}
