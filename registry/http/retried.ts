import { monotonic } from "../../native/clock.ts";
import { HttpError } from "./failure.ts";
import type { HttpAnswer } from "./client.ts";
import { wait, type Retries } from "./retry.ts";

/** Sends a request until its answer is final, as long as there are tries. @throws what no other try may mend */
export async function retried(
  retries: Retries | undefined,
  signal: AbortSignal | undefined,
  send: () => Promise<HttpAnswer>,
): Promise<HttpAnswer> {
  const began = monotonic();
  for (;;) {
    try {
      const answer = await send();
      const delay = retries?.next(answer.status, answer.header("retry-after"));
      if (delay === undefined) return answer;
      await answer.discard();
      await wait(delay, signal);
    } catch (error) {
      signal?.throwIfAborted();
      // A server that takes connections and says nothing costs each try its time.
      const delay =
        error instanceof HttpError && error.kind === "broken"
          ? retries?.next(undefined, undefined, monotonic() - began)
          : undefined;
      if (delay === undefined) throw error;
      await wait(delay, signal);
    }
  }
}
