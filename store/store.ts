import type { CacheMounts } from "./cache-mounts.ts";
import type { ContentStore } from "./content/store.ts";
import type { Descriptor } from "./oci/descriptor.ts";
import type { FetchedFiles } from "./fetched.ts";
import type { GitRepositories } from "./git-repositories.ts";
import type { BuildRecords } from "./history/builds.ts";
import type { StepStates } from "./history/states.ts";
import type { Digest } from "./oci/digest.ts";
import type { StepLocks } from "./step-locks.ts";
import type { Snapshot, Snapshotter } from "./snapshot/snapshotter.ts";

/** Names of images. Keys are normalised references: `docker.io/library/app:latest`. */
export interface RefStore {
  get(name: string): ImageRef | undefined;
  /** Replaces what the name pointed to; atomic. */
  set(name: string, target: Descriptor): void;
  delete(name: string): boolean;
  list(): readonly ImageRef[];
}

/** A name and the manifest or index it points to. Times in milliseconds since the epoch. */
export interface ImageRef {
  readonly name: string;
  readonly target: Descriptor;
  readonly updated: number;
}

/**
 * Results of steps. A record is found by any of its keys (definition key, content key) and says which snapshot
 * the step made. `inputs` is what each key was computed from, without lists of files.
 */
export interface StepCache {
  /** undefined also when the snapshot is gone. Touches the record's last use. */
  find(key: Digest): CacheRecord | undefined;
  /** One transaction for all. */
  put(records: readonly CacheRecord[]): void;
  delete(key: Digest): void;
}

/** What is remembered of a step that ran. */
export interface CacheRecord {
  readonly keys: readonly Digest[];
  readonly slot: string;
  /** undefined: the step's result is the empty file system (scratch). */
  readonly snapshotID: string | undefined;
  /** Plain JSON: name -> value. Never a secret. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch of the step's end: `created` of its history line. */
  readonly created: number;
}

/** What the compressed form of a layer is, remembered so that it is compressed once. */
export interface CompressedLayers {
  get(diffID: Digest, mediaType: string): Descriptor | undefined;
  set(diffID: Digest, compressed: Descriptor): void;
}

/** What a collection removed: counts and bytes. */
export interface Collected {
  readonly blobs: number;
  readonly snapshots: number;
  readonly steps: number;
  readonly bytes: number;
}

/** What a collection may take beside what nothing leads to: images without names, steps and builds this old (ms). */
export interface CollectOptions {
  readonly dangling?: boolean;
  readonly unusedFor?: number;
}

/** The local store: one directory, many processes. Opened by openStore() of open.ts. */
export interface Store extends AsyncDisposable {
  readonly root: string;
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly refs: RefStore;
  readonly cache: StepCache;
  readonly compressed: CompressedLayers;
  readonly stepLocks: StepLocks;
  /** Directories of RUN --mount=type=cache. */
  readonly cacheMounts: CacheMounts;
  /** What URLs gave. */
  readonly fetched: FetchedFiles;
  /** What git remotes gave. */
  readonly git: GitRepositories;
  /** What past builds did, for people. */
  readonly builds: BuildRecords;
  /** What each step was in the last build of its project, to explain a miss. */
  readonly states: StepStates;
  /** A directory of this process's lease in the same file system, swept when the process is gone. */
  readonly scratch: string;
  /**
   * For what runs long on one snapshot, as a container: that is kept, and others may remove what else there is. After it
   * the store is only good for being disposed.
   */
  pin(snapshot: Snapshot | undefined): void;
  /** Removes what nothing leads to; waits until no other process uses the store. @throws E_STORE_BUSY */
  collect(options: CollectOptions): Promise<Collected>;
}
