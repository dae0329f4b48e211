const base = 250;
const maxDelay = 20_000;

/** Milliseconds to wait before the request is sent again; undefined when the answer is final. */
export function retryDelay(status: number, retryAfter: string | undefined, attempt: number): number | undefined {
  const temporary = status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 505);
  if (!temporary) return undefined;
  const asked = retryAfterDelay(retryAfter);
  const backoff = base * 2 ** attempt * (0.5 + Math.random());
  return Math.min(maxDelay, Math.max(asked ?? 0, backoff));
}

/** Retry-After in milliseconds: seconds or a date. @see RFC 9110 10.2.3 */
function retryAfterDelay(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : date - Date.now();
}

/** Waits; rejects when the signal is aborted. */
export async function wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  const { setTimeout } = await import("node:timers/promises");
  await setTimeout(milliseconds, undefined, signal === undefined ? {} : { signal });
}
