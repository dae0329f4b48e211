/** What a loop asks between its pieces of work: an AbortSignal, or what stands for one on another thread. */
export type Cancellation = Pick<AbortSignal, "aborted" | "throwIfAborted">;
