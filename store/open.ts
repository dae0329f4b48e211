import { join, resolve } from "node:path";
import { makeDirectories } from "../native/directory.ts";
import { TsbuildError } from "../native/errors.ts";
import { lock, upgrade } from "../native/lock.ts";
import { collect } from "./gc.ts";
import { CacheMounts } from "./cache-mounts.ts";
import { DatabaseCache, DatabaseCompressed } from "./cache.ts";
import { LocalContentStore } from "./content/local.ts";
import { Database } from "./database.ts";
import { FetchedFiles } from "./fetched.ts";
import { GitRepositories } from "./git-repositories.ts";
import { BuildRecords } from "./history/builds.ts";
import { StepStates } from "./history/states.ts";
import { Lease, sweepLeases } from "./lease.ts";
import { removeOldEntries } from "./old-entries.ts";
import { DatabaseRefs } from "./refs.ts";
import { OverlaySnapshotter } from "./snapshot/overlay.ts";
import { StepLocks } from "./step-locks.ts";
import type { Store } from "./store.ts";

/**
 * Opens the store in a directory, making it when missing, and sweeps what dead processes left in it.
 * Dispose removes what this process did not record. @throws E_STORE_OPEN, E_STORE_VERSION
 */
export async function openStore(options: { readonly root: string }): Promise<Store> {
  const root = resolve(options.root);
  makeRoot(root);
  // Shared by all who use the store, exclusive for who removes from it.
  const use = await lock(join(root, "lock"), "shared");
  const db = new Database(join(root, "store.db"));
  const lease = Lease.take(root);
  const snapshots = new OverlaySnapshotter({ root, db, lease: lease.id });
  sweepLeases(root, (leases) => snapshots.sweep(leases));
  const cacheMounts = new CacheMounts(root);
  const content = new LocalContentStore(root, lease.scratch);
  const fetched = new FetchedFiles(root);
  const git = new GitRepositories(root);
  const refs = new DatabaseRefs(db);
  const builds = new BuildRecords(root);
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
      snapshots[Symbol.dispose]();
      lease[Symbol.dispose]();
      db[Symbol.dispose]();
      use[Symbol.dispose]();
    },
    async collect(wanted) {
      if (!upgrade(use)) {
        throw new TsbuildError("Cannot remove from the store: another process uses it", {
          code: "E_STORE_BUSY",
          hint: "try again when no build, pull or container runs",
        });
      }
      const collected = await collect(
        { db, content, snapshots, cacheMounts, fetched, git, refs: () => refs.list() },
        wanted,
      );
      snapshots.sweepUnrecorded();
      const { unusedFor } = wanted;
      if (unusedFor === undefined) return collected;
      removeOldEntries(join(root, "contexts"), unusedFor);
      return { ...collected, bytes: collected.bytes + builds.forget(unusedFor) };
    },
  };
}

function makeRoot(root: string): void {
  try {
    makeDirectories(join(root, "leases"), 0o711);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    throw new TsbuildError(`Cannot open the store in ${root}: ${code}`, {
      code: "E_STORE_OPEN",
      cause: error,
      hint: "choose a directory that can be written: --root DIR or TSBUILD_ROOT",
    });
  }
}
