import type { CacheMounts } from "./cache-mounts.ts";
import type { ContentStore } from "./content/store.ts";
import type { Descriptor } from "./oci/descriptor.ts";
import type { FetchedFiles } from "./fetched.ts";
import type { GitRepositories } from "./git-repositories.ts";
import type { BuildRecords } from "./history/builds.ts";
import type { StepStates } from "./history/states.ts";
import type { Digest } from "./oci/digest.ts";
import type { StepLocks } from "./step-locks.ts";
import type { Snapshotter } from "./snapshot/snapshotter.ts";

/** Names of images. Keys are normalised references: `docker.io/library/app:latest`. */
export interface RefStore {
  get(name: string): ImageRef | undefined;
  /** Replaces what the name pointed to; atomic. */
  set(name: string, target: Descriptor): void;
  delete(name: string): boolean;
  list(): readonly ImageRef[];
  /** One transaction for all that is done in it: others see all or nothing, and nothing is collected between. */
  together<T>(act: () => T): T;
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

/** What a collection removed: counts and bytes, and the names of images that went. */
export interface Collected {
  readonly blobs: number;
  readonly snapshots: number;
  readonly steps: number;
  readonly bytes: number;
  readonly images: readonly ImageRef[];
}

/** What a collection may take beside what nothing leads to. What another process uses stays whatever is asked for. */
export interface CollectOptions {
  /** Images without names. */
  readonly dangling?: boolean;
  /** Names that go if they still point there. */
  readonly images?: readonly ImageRef[];
  /** Steps, cache mounts and all else that only makes builds faster, unused for so long (ms). */
  readonly unusedFor?: number;
  /** Of steps, only those whose results are part of no image; records of builds stay too. */
  readonly keepShared?: boolean;
  /** Downloads that nobody goes on with now. */
  readonly partials?: boolean;
  readonly signal?: AbortSignal;
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
  /** Names a directory outside of the store, before it is made, that whoever comes next removes if this process is killed. */
  noteOutside(path: string): void;
  /**
   * For what runs long on one image, as a container: of all that was looked at, others may remove what is not named here,
   * a snapshot by its ID, a blob by its digest. After it the store is only good for being disposed.
   */
  keepOnly(names: Iterable<string>): void;
  /** Removes what nothing leads to and nobody uses, beside others who go on; one collection waits for another. */
  collect(options: CollectOptions): Promise<Collected>;
}
