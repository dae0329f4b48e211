import { chmodSync, chownSync, lstatSync, mkdirSync, openSync, closeSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { makeShownDirectory } from "../../native/directory.ts";
import { SyscallError } from "../../native/errors.ts";
import { depthError, maxLowers } from "../../native/mount.ts";
import { Root } from "../../native/path.ts";
import { spreadSubdirectories } from "../../native/spread.ts";
import { syncfs } from "../../native/syscall.ts";
import type { Database, Row } from "../database.ts";
import type { Holds } from "../holds.ts";
import { asChainID, asDiffID, parseDigest, type ChainID, type DiffID } from "../oci/digest.ts";
import {
  lowerDirs,
  rootSnapshot,
  type ActiveSnapshot,
  type Snapshot,
  type SnapshotIdentity,
  type Snapshotter,
} from "./snapshotter.ts";
import type { Trash } from "../trash.ts";
import { WorkDirectories } from "./work-directory.ts";

const rootMode = 0o755;

/** A row of the records. */
export interface SnapshotRecord {
  readonly id: string;
  readonly parent: string | undefined;
  readonly layer: string | undefined;
  readonly chain: string;
  /** Bytes of the layer's tar. */
  readonly size: number;
}

/**
 * Snapshots as directories `snapshots/LEASE-N/fs`, recorded in the database by persist(). Names begin with the lease
 * that made them, so that those of a dead process are found without a list.
 */
export class OverlaySnapshotter implements Snapshotter {
  readonly #root: string;
  readonly #db: Database;
  readonly #lease: string;
  readonly #holds: Holds;
  readonly #known = new Map<string, Snapshot>();
  readonly #identities = new Map<string, SnapshotIdentity>();
  /** Made under this lease and not recorded. */
  readonly #own = new Set<string>();
  readonly #works = new WorkDirectories(() => this.#ownDirectory(this.#newID()));
  #count = 0;
  #spread = false;

  constructor(options: {
    readonly root: string;
    readonly db: Database;
    readonly lease: string;
    readonly holds: Holds;
  }) {
    this.#root = join(options.root, "snapshots");
    this.#db = options.db;
    this.#lease = options.lease;
    this.#holds = options.holds;
    mkdirSync(this.#root, { recursive: true, mode: 0o700 });
  }

  prepare(parent: Snapshot | undefined): ActiveSnapshot {
    if (!this.#spread) spreadSubdirectories(this.#root);
    this.#spread = true;
    const id = this.#newID();
    const directory = this.#ownDirectory(id);
    const upper = `${directory}/fs`;
    mkdirSync(directory, { mode: 0o700 });
    makeShownDirectory(upper, rootMode);
    if (parent !== undefined) inheritRoot(rootSnapshot(parent).dir, upper);
    return new OverlayActive({
      id,
      parent,
      upper,
      works: this.#works,
      commit: (over) => this.#commit(id, over, upper),
      discard: () => this.#discard(id),
    });
  }

  #newID(): string {
    return `${this.#lease}-${this.#count++}`;
  }

  /** Where a directory is to be made that goes with this process unless it is recorded. */
  #ownDirectory(id: string): string {
    this.#own.add(id);
    return `${this.#root}/${id}`;
  }

  link(parent: Snapshot, layer: Snapshot): Snapshot {
    checkDepth(parent);
    const snapshot: Snapshot = { id: this.#newID(), parent, dir: layer.dir, layer };
    this.#known.set(snapshot.id, snapshot);
    return snapshot;
  }

  find(chainID: ChainID): Snapshot | undefined {
    const id = this.#db.get("SELECT id FROM snapshots WHERE chain = ?", chainID)?.["id"];
    return id === undefined ? undefined : this.get(String(id));
  }

  /** It is held before it is read; with it goes nothing of what it stands on. */
  get(id: string): Snapshot | undefined {
    return this.#holds.tryHold(id) ? this.#load(id) : undefined;
  }

  #load(id: string): Snapshot | undefined {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const row = this.#db.get("SELECT * FROM snapshots WHERE id = ?", id);
    return row === undefined ? undefined : this.#fromRow(row);
  }

  identity(snapshot: Snapshot): SnapshotIdentity | undefined {
    const known = this.#identities.get(snapshot.id);
    if (known !== undefined) return known;
    const row = this.#db.get("SELECT * FROM snapshots WHERE id = ?", snapshot.id);
    if (row === undefined) return undefined;
    const identity = toIdentity(row);
    this.#identities.set(snapshot.id, identity);
    return identity;
  }

  withDiff(diffID: DiffID): Snapshot | undefined {
    const id = this.#db.get("SELECT id FROM snapshots WHERE diff = ? LIMIT 1", diffID)?.["id"];
    return id === undefined ? undefined : this.get(String(id));
  }

  async persist(done: readonly { readonly snapshot: Snapshot; readonly identity: SnapshotIdentity }[]): Promise<void> {
    // What is there already, durable, is not needed a second time: nothing has to be flushed for it.
    if (done.some(({ identity }) => this.find(identity.chainID) === undefined)) await this.#sync();
    this.#db.transaction(() => {
      for (const { snapshot, identity } of done) this.#record(snapshot, identity);
    });
  }

  /** Every recorded snapshot, as it is in the records: nothing is looked at or held. */
  records(): readonly SnapshotRecord[] {
    return this.#db.all("SELECT id, parent, layer, chain, size FROM snapshots").map((row) => ({
      id: String(row["id"]),
      parent: row["parent"] === null ? undefined : String(row["parent"]),
      layer: row["layer"] === null ? undefined : String(row["layer"]),
      chain: String(row["chain"]),
      size: Number(row["size"]),
    }));
  }

  /** For a collector that has it alone: the directory goes first, for a record without one is as good as none. */
  remove(id: string, trash: Trash): void {
    trash.take(this.#root, id);
    this.#db.run("DELETE FROM snapshots WHERE id = ?", id);
    this.#known.delete(id);
    this.#own.delete(id);
  }

  /** Removes what dead leases made and never recorded. Returns those that left something which could not be removed. */
  sweep(leases: ReadonlySet<string>): ReadonlySet<string> {
    const left = new Set<string>();
    for (const id of readdirSync(this.#root)) {
      const lease = id.split("-")[0] ?? "";
      if (leases.has(lease) && !this.#isRecorded(id) && !this.#discard(id)) left.add(lease);
    }
    return left;
  }

  /**
   * Removes every directory that is not recorded and whose lease is gone: what was left by a process that was killed while
   * it removed snapshots. `leases` is asked after the directories were listed: the lease of each was there before it.
   */
  sweepUnrecorded(leases: () => ReadonlySet<string>, trash: Trash): void {
    const ids = readdirSync(this.#root);
    const held = leases();
    for (const id of ids) if (!held.has(id.split("-")[0] ?? "") && !this.#isRecorded(id)) trash.take(this.#root, id);
  }

  #isRecorded(id: string): boolean {
    return this.#db.get("SELECT 1 FROM snapshots WHERE id = ?", id) !== undefined;
  }

  /** Removes what this process made and did not record. False: some of it could not be, and is the lease's to name. */
  discardOwn(): boolean {
    this.#works[Symbol.dispose]();
    return [...this.#own].map((id) => this.#discard(id)).every(Boolean);
  }

  #commit(id: string, parent: Snapshot | undefined, dir: string): Snapshot {
    const snapshot: Snapshot = { id, parent, dir };
    this.#known.set(id, snapshot);
    return snapshot;
  }

  #record(snapshot: Snapshot, identity: SnapshotIdentity): void {
    this.#identities.set(snapshot.id, identity);
    const there = this.#db.get("SELECT id FROM snapshots WHERE chain = ?", identity.chainID)?.["id"];
    // In a transaction no collector has anything alone.
    this.#holds.tryHold(there === undefined ? snapshot.id : String(there));
    if (there !== undefined) return;
    const parent = snapshot.parent === undefined ? null : this.#recordedID(snapshot.parent);
    this.#db.run(
      "INSERT INTO snapshots VALUES (?, ?, ?, ?, ?, ?, ?)",
      snapshot.id,
      parent,
      identity.chainID,
      identity.diffID,
      identity.size,
      identity.epoch === undefined ? null : String(identity.epoch),
      snapshot.layer === undefined ? null : this.#recordedID(snapshot.layer),
    );
    this.#own.delete(snapshot.id);
  }

  /** The recorded snapshot with the same ChainID: this one, or the one that was there first. */
  #recordedID(snapshot: Snapshot): string {
    const identity = this.#identities.get(snapshot.id) ?? this.identity(snapshot);
    const chain = identity?.chainID ?? "";
    const id = this.#db.get("SELECT id FROM snapshots WHERE chain = ?", chain)?.["id"];
    if (id === undefined) throw new Error(`snapshot ${snapshot.id} is recorded after what stands on it`);
    return String(id);
  }

  #fromRow(row: Row): Snapshot | undefined {
    const id = String(row["id"]);
    const parentID = row["parent"];
    const parent = parentID === null ? undefined : this.#load(String(parentID));
    if (parentID !== null && parent === undefined) return this.#forget(id);
    const layerID = row["layer"];
    const layer = layerID === null ? undefined : this.#load(String(layerID));
    if (layerID !== null && layer === undefined) return this.#forget(id);
    const own = { id, parent, dir: join(this.#root, id, "fs") };
    const snapshot: Snapshot = layer === undefined ? own : { ...own, dir: layer.dir, layer };
    if (layer === undefined && !existsSync(own.dir)) return this.#forget(id);
    this.#known.set(id, snapshot);
    this.#identities.set(id, toIdentity(row));
    return snapshot;
  }

  /** Somebody removed its directory, or one that it needs: it is made anew, which its record would be in the way of. */
  #forget(id: string): undefined {
    this.#db.run("DELETE FROM snapshots WHERE id = ?", id);
  }

  /** False where it cannot be removed: something is mounted there, or the disk fails. A later sweep tries again. */
  #discard(id: string): boolean {
    using root = Root.open(this.#root);
    try {
      root.removeTree(id);
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      if (root.stat(id) !== undefined) return false;
    }
    this.#own.delete(id);
    return true;
  }

  async #sync(): Promise<void> {
    const fd = openSync(this.#root, "r");
    try {
      await syncfs(fd);
    } finally {
      closeSync(fd);
    }
  }
}

class OverlayActive implements ActiveSnapshot {
  readonly id: string;
  readonly parent: Snapshot | undefined;
  readonly upper: string;
  readonly #works: WorkDirectories;
  readonly #commit: (parent: Snapshot | undefined) => Snapshot;
  readonly #discard: () => unknown;
  #work: string | undefined;
  #open = true;

  constructor(init: {
    readonly id: string;
    readonly parent: Snapshot | undefined;
    readonly upper: string;
    readonly works: WorkDirectories;
    readonly commit: (parent: Snapshot | undefined) => Snapshot;
    readonly discard: () => unknown;
  }) {
    this.id = init.id;
    this.parent = init.parent;
    this.upper = init.upper;
    this.#works = init.works;
    this.#commit = init.commit;
    this.#discard = init.discard;
  }

  get work(): string {
    this.#work ??= this.#works.take();
    return this.#work;
  }

  commit(): Snapshot {
    return this.#end(this.parent);
  }

  commitOver(parent: Snapshot | undefined, { ownRoot }: { readonly ownRoot: boolean }): Snapshot {
    if (parent !== undefined && !ownRoot) inheritRoot(rootSnapshot(parent).dir, this.upper);
    return this.#end(parent);
  }

  #end(parent: Snapshot | undefined): Snapshot {
    checkDepth(parent);
    this.#open = false;
    if (this.#work !== undefined) this.#works.giveBack(this.#work);
    this.#work = undefined;
    return this.#commit(parent);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#open) this.#discard();
    this.#open = false;
  }
}

/** What cannot be mounted is not made. @throws E_OVERLAY_DEPTH */
function checkDepth(parent: Snapshot | undefined): void {
  const depth = lowerDirs(parent).length + 1;
  if (depth > maxLowers) throw depthError(depth);
}

/** The merged root directory has the metadata of its topmost layer. */
function inheritRoot(from: string, to: string): void {
  const { mode, uid, gid } = lstatSync(from);
  if (uid !== 0 || gid !== 0) chownSync(to, uid, gid);
  if ((mode & 0o7777) !== rootMode) chmodSync(to, mode & 0o7777);
}

function toIdentity(row: Row): SnapshotIdentity {
  return {
    diffID: asDiffID(parseDigest(String(row["diff"]))),
    chainID: asChainID(parseDigest(String(row["chain"]))),
    size: Number(row["size"]),
    ...(row["epoch"] === null ? {} : { epoch: BigInt(String(row["epoch"])) }),
  };
}
