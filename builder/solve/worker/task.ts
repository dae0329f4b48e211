import type { Cancellation } from "../../../native/cancellation.ts";
import type { UnpackedLayer } from "../../../store/layer/unpack.ts";
import type { Descriptor } from "../../../store/oci/descriptor.ts";
import type { DiffID } from "../../../store/oci/digest.ts";

/** A layer as its tar names it; `size` in bytes of the tar. */
export interface NamedLayer {
  readonly diffID: DiffID;
  readonly size: number;
}

/** What can be done off the main thread: plain values in and out, and a value at a time as progress. */
export interface Tasks {
  /** Unpacks a blob of the store into a layer directory, checking both of its digests. Progress: bytes read. */
  readonly unpack: Task<
    {
      /** Directory of the content store. */
      readonly content: string;
      readonly layer: Descriptor;
      readonly directory: string;
      readonly diffID: DiffID;
      readonly owner: Owner | undefined;
    },
    UnpackedLayer,
    number
  >;
  /** Compares a layer directory with those below it and hashes its tar. Progress: whether it changes anything, then bytes. */
  readonly seal: Task<LayerPlace, NamedLayer | undefined, boolean | ByteProgress>;
}

/** Bytes that are done, of about so many. */
export interface ByteProgress {
  readonly current: number;
  readonly total: number;
}

/** Whom all files are to belong to; undefined: as the layer says. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

interface Task<Input, Output, Progress> {
  readonly input: Input;
  readonly output: Output;
  readonly progress: Progress;
}

/** A layer directory, what it lies over (topmost first), and the latest time of its tar in nanoseconds. */
export interface LayerPlace {
  readonly upper: string;
  readonly lowers: readonly string[];
  readonly epoch?: bigint;
}

export type TaskName = keyof Tasks;

/** What a task is run with. */
export interface TaskOptions<N extends TaskName> {
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: Tasks[N]["progress"]) => void;
}

/** Runs tasks on other threads. Starting one takes 30 ms: it is for what takes longer than that. */
export interface Workers {
  /** @throws what the task throws */
  run<N extends TaskName>(name: N, input: Tasks[N]["input"], options: TaskOptions<N>): Promise<Tasks[N]["output"]>;
}

/** What a running task sees: it asks between chunks of work whether it is still wanted. */
export interface TaskContext<N extends TaskName> {
  readonly signal: Cancellation;
  readonly progress: (progress: Tasks[N]["progress"]) => void;
}

/** From the main thread: do this. */
export interface TaskRequest {
  readonly name: TaskName;
  readonly input: unknown;
}

/** From the main thread: there are no more. */
export const endOfTasks = "end";

/** To the main thread. */
export type TaskReply =
  | { readonly kind: "progress"; readonly value: unknown }
  | { readonly kind: "done"; readonly value: unknown }
  | { readonly kind: "failed"; readonly error: SentError };

/** An error on its way between threads, of which structured cloning keeps the message alone. */
export interface SentError {
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: string | undefined;
  readonly hint: string | undefined;
  readonly notes: readonly string[];
  readonly syscall: { readonly name: string; readonly errno: string; readonly path: string | undefined } | undefined;
  readonly cause: SentError | undefined;
}
