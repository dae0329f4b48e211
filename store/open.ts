import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { checkOptions, type OptionTable } from "../native/arguments.ts";
import { TsbuildError } from "../native/errors.ts";
import { lock } from "../native/lock.ts";
import { collect } from "./gc.ts";
import { CacheMounts } from "./cache-mounts.ts";
import { DatabaseCache, DatabaseCompressed } from "./cache.ts";
import { sweepOldPartials, sweepPartials } from "./content/ingest.ts";
import { LocalContentStore } from "./content/local.ts";
import { Database } from "./database.ts";
import { FetchedFiles } from "./fetched.ts";
import { GitRepositories } from "./git-repositories.ts";
import { BuildRecords } from "./history/builds.ts";
import { StepStates } from "./history/states.ts";
import { Holds } from "./holds.ts";
import { heldLeases, Lease, sweepLeases } from "./lease.ts";
import { removeOldEntries } from "./old-entries.ts";
import { DatabaseRefs } from "./refs.ts";
import { openError } from "./open-error.ts";
import { Reserve } from "./reserve.ts";
import { claimRoot } from "./root-directory.ts";
import { OverlaySnapshotter } from "./snapshot/overlay.ts";
import { StepLocks } from "./step-locks.ts";
import type { CollectOptions, Store } from "./store.ts";
import { Trash } from "./trash.ts";

/** Which store, and what for. */
export interface OpenOptions {
  readonly root: string;
  /** To free space: on a full disk what is kept in reserve for that is given up. */
  readonly freeing?: boolean;
}

const table: OptionTable<OpenOptions> = { root: "text!", freeing: "boolean" };

/**
 * Opens the store in a directory, making it when missing, and sweeps what dead processes left in it.
 * Dispose removes what this process did not record.
 * @throws E_STORE_UNSAFE, E_STORE_OPEN, E_STORE_VERSION, E_STORE_BUSY, E_READ_ONLY, E_NO_SPACE
 */
export async function openStore(options: OpenOptions): Promise<Store> {
  checkOptions("openStore", options, table);
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
  const holds = stack.use(new Holds(root));
  const db = stack.use(new Database(join(root, "store.db")));
  const lease = stack.use(Lease.take(root));
  const snapshots = new OverlaySnapshotter({ root, db, lease: lease.id, holds });
  stack.defer(() => {
    if (!snapshots.discardOwn()) lease.leave();
  });
  sweepLeases(root, (leases) => snapshots.sweep(leases));
  sweepOldPartials(root);
  const cacheMounts = new CacheMounts(root);
  const content = new LocalContentStore(root, { scratch: lease.scratch, holds });
  const fetched = new FetchedFiles(root);
  const git = new GitRepositories(root);
  const refs = new DatabaseRefs(db);
  const builds = new BuildRecords(root, holds);
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
    noteOutside(path) {
      lease.noteOutside(path);
    },
    keepOnly(names) {
      holds.keepOnly(names);
    },
    async collect(wanted) {
      // One after another: each has much alone for a moment, and would keep what the other is about to remove.
      using _alone = await lock(join(root, "gc.lock"), "exclusive", wanted.signal);
      const trash = new Trash(lease.scratch);
      const collected = collect(
        { db, content, snapshots, cacheMounts, fetched, git, holds, refs: () => refs.list(), trash },
        wanted,
      );
      snapshots.sweepUnrecorded(() => heldLeases(root), trash);
      trash.empty();
      const bytes = collected.bytes + collectRest({ root, builds }, wanted);
      return { ...collected, bytes };
    },
  };
}

/** What no record leads to. Returns its bytes. */
function collectRest(
  { root, builds }: { readonly root: string; readonly builds: BuildRecords },
  { partials, unusedFor, keepShared }: CollectOptions,
): number {
  const bytes = sweepPartials(root, partials === true ? "all" : "old");
  if (unusedFor === undefined) return bytes;
  removeOldEntries(join(root, "contexts"), unusedFor);
  return bytes + (keepShared === true ? 0 : builds.forget(unusedFor));
}
