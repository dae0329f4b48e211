import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { TsbuildError } from "../native/errors.ts";
import { lock, upgrade, type FileLock } from "../native/lock.ts";
import { collect } from "./gc.ts";
import { CacheMounts } from "./cache-mounts.ts";
import { DatabaseCache, DatabaseCompressed } from "./cache.ts";
import { LocalContentStore } from "./content/local.ts";
import { Database } from "./database.ts";
import { FetchedFiles } from "./fetched.ts";
import { GitRepositories } from "./git-repositories.ts";
import { BuildRecords } from "./history/builds.ts";
import { StepStates } from "./history/states.ts";
import { heldLeases, Lease, sweepLeases } from "./lease.ts";
import { removeOldEntries } from "./old-entries.ts";
import { DatabaseRefs } from "./refs.ts";
import { openError } from "./open-error.ts";
import { Reserve } from "./reserve.ts";
import { claimRoot } from "./root-directory.ts";
import { OverlaySnapshotter } from "./snapshot/overlay.ts";
import type { Snapshot } from "./snapshot/snapshotter.ts";
import { StepLocks } from "./step-locks.ts";
import type { Store } from "./store.ts";

/** Which store, and what for. */
export interface OpenOptions {
  readonly root: string;
  /** To free space: on a full disk what is kept in reserve for that is given up. */
  readonly freeing?: boolean;
}

/**
 * Opens the store in a directory, making it when missing, and sweeps what dead processes left in it.
 * Dispose removes what this process did not record.
 * @throws E_STORE_UNSAFE, E_STORE_OPEN, E_STORE_VERSION, E_STORE_BUSY, E_READ_ONLY, E_NO_SPACE
 */
export async function openStore(options: OpenOptions): Promise<Store> {
  const root = resolve(options.root);
  try {
    return await open(root, options.freeing ?? false);
  } catch (error) {
    throw openError(error, root);
  }
}

async function open(root: string, freeing: boolean): Promise<Store> {
  if (root.includes("\\")) {
    throw new TsbuildError(
      `Cannot open the store in ${root}: overlayfs reads a backslash in a path as something else`,
      {
        code: "E_STORE_OPEN",
        hint: "choose a directory without one: --root DIR or TSBUILD_ROOT",
      },
    );
  }
  claimRoot(root);
  mkdirSync(join(root, "leases"), { recursive: true, mode: 0o700 });
  using stack = new DisposableStack();
  const reserve = new Reserve(root);
  stack.defer(() => reserve.keep());
  if (freeing) reserve.giveUp();
  else reserve.keep();
  // Shared by all who use the store, exclusive for who removes from it.
  const use = stack.use(heldUntil(await lock(join(root, "lock"), "shared")));
  const db = stack.use(new Database(join(root, "store.db")));
  const lease = stack.use(Lease.take(root));
  const snapshots = stack.use(new OverlaySnapshotter({ root, db, lease: lease.id }));
  sweepLeases(root, (leases) => snapshots.sweep(leases));
  const cacheMounts = new CacheMounts(root);
  const content = new LocalContentStore(root, lease.scratch);
  const fetched = new FetchedFiles(root);
  const git = new GitRepositories(root);
  const refs = new DatabaseRefs(db);
  const builds = new BuildRecords(root);
  const opened = stack.move();
  return {
    root,
    content,
    snapshots,
    refs,
    cache: new DatabaseCache(db),
    compressed: new DatabaseCompressed(db),
    cacheMounts,
    fetched,
    git,
    stepLocks: new StepLocks(root),
    builds,
    states: new StepStates(root),
    scratch: lease.scratch,
    async [Symbol.asyncDispose]() {
      opened[Symbol.dispose]();
    },
    pin(snapshot) {
      lease.pin(withBelow(snapshot));
      use[Symbol.dispose]();
    },
    async collect(wanted) {
      if (use.lock === undefined || !upgrade(use.lock)) {
        throw new TsbuildError("Cannot remove from the store: another process uses it", {
          code: "E_STORE_BUSY",
          hint: "try again when no build, pull or push runs",
        });
      }
      const held = heldLeases(root);
      const collected = await collect(
        { db, content, snapshots, cacheMounts, fetched, git, refs: () => refs.list(), pinned: held.pinned },
        wanted,
      );
      snapshots.sweepUnrecorded(held.ids);
      const { unusedFor } = wanted;
      if (unusedFor === undefined) return collected;
      removeOldEntries(join(root, "contexts"), unusedFor);
      return { ...collected, bytes: collected.bytes + builds.forget(unusedFor) };
    },
  };
}

/** A lock that may be given up before everything else is; `lock` is undefined then. */
function heldUntil(held: FileLock): Disposable & { readonly lock: FileLock | undefined } {
  let lock: FileLock | undefined = held;
  return {
    get lock() {
      return lock;
    },
    [Symbol.dispose]() {
      lock?.[Symbol.dispose]();
      lock = undefined;
    },
  };
}

/** The IDs of a snapshot, those below it and the layers that they stand for. */
function withBelow(snapshot: Snapshot | undefined): readonly string[] {
  const ids: string[] = [];
  for (let at = snapshot; at !== undefined; at = at.parent)
    ids.push(at.id, ...(at.layer === undefined ? [] : [at.layer.id]));
  return ids;
}
