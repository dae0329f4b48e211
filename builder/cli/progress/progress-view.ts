import type { ProgressSink } from "../../graph/events.ts";
import type { Trace } from "./trace.ts";

/** What shows the events of one build, pull or push. */
export interface ProgressView {
  readonly sink: ProgressSink;
  /** For the summary; undefined when the mode keeps none. */
  readonly trace: Trace | undefined;
  /** After the last event: the last frame, and the failed step's log if it is not there already. */
  readonly end: (failed: boolean) => void;
  /** Whether people read it, so that a summary may follow. */
  readonly verbose: boolean;
}
