import type { Store } from "../../store/store.ts";
import type { Digest } from "../../store/oci/digest.ts";
import type { Snapshot, SnapshotIdentity } from "../../store/snapshot/snapshotter.ts";
import type { ProgressSink } from "../graph/events.ts";
import type { Vertex } from "../graph/vertex.ts";
import type { ByteProgress, Workers } from "./worker/task.ts";
import type { SolvedStep, StepKey } from "./step.ts";

/** What running a step gives: `identity` is computed beside the next steps, `progress` says how far that is. */
export interface StepResult {
  readonly snapshot: Snapshot | undefined;
  readonly identity: Promise<SnapshotIdentity | undefined>;
  readonly progress?: () => ByteProgress;
}

/** What every step is run with. */
export interface OpContext {
  readonly store: Store;
  readonly signal: AbortSignal;
  readonly emit: ProgressSink;
  readonly workers: Workers;
  /** All files are to be root's. @see EngineOptions */
  readonly squashOwners: boolean;
  /** The file with all that a step printed; undefined when it printed nothing. */
  readonly logPath: (vertex: Digest) => string | undefined;
}

/** How one kind of vertex is keyed and run; one file each under ops/. */
export interface Op {
  /**
   * The key from what the step is and the keys of its inputs (same order as vertex.inputs); cheap, nothing is run.
   * undefined for an input: its result is not known before it ran.
   */
  key(vertex: Vertex, inputs: readonly Digest[], context: OpContext): Promise<StepKey>;
  /** A second key from the content that the step reads of its solved inputs, where that differs from the first. */
  contentKey?(vertex: Vertex, inputs: readonly SolvedStep[], context: OpContext): Promise<StepKey | undefined>;
  exec(vertex: Vertex, inputs: readonly SolvedStep[], context: OpContext): Promise<StepResult>;
  /** False for what is not worth a record: images and contexts are kept elsewhere. */
  readonly recorded: boolean;
  /** Neither told of nor counted: it belongs to a step that is. */
  readonly silent?: boolean;
}

/** The op of each kind of vertex. */
export type OpTable = (vertex: Vertex) => Op;
