import type { Digest } from "../../store/oci/digest.ts";
import type { Snapshot, SnapshotIdentity } from "../../store/snapshot/snapshotter.ts";
import type { Vertex } from "../graph/vertex.ts";
import type { ByteProgress } from "./worker/task.ts";

/** A vertex with its result. */
export interface SolvedStep {
  readonly vertex: Vertex;
  /** Names the result in the keys of the steps on top: equal keys, equal file systems. */
  readonly key: Digest;
  /** undefined: the empty file system. */
  readonly snapshot: Snapshot | undefined;
  /** Resolves when the layer is hashed; undefined for the empty file system. */
  readonly identity: Promise<SnapshotIdentity | undefined>;
  /** How far that is, where it takes long. */
  readonly progress?: (() => ByteProgress) | undefined;
  /** Milliseconds since the epoch of the step's end, also when it came from the cache. */
  readonly created: number;
  readonly cached: boolean;
}

/** A key and what it was computed from, to explain a miss: name -> value; asked for only when there is one. */
export interface StepKey {
  readonly key: Digest;
  readonly inputs: () => Readonly<Record<string, string>>;
}
