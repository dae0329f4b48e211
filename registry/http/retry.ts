import { httpDate } from "./http-date.ts";

/** Milliseconds that a server is waited for, where nothing else is said. */
export const defaultPatience = 30_000;
const maxTries = 5;
/** Milliseconds before the second try. */
const longestFirst = 250;
/** All requests to one host may wait so many times as long as one. */
const together = 10;

/** The time that may pass between tries: of one request, and of all to the same host. */
export class WaitBudget {
  readonly patience: number;
  #left: number;

  constructor(patience: number = defaultPatience) {
    this.patience = patience;
    this.#left = patience * together;
  }

  /** Whether it was there to be taken. */
  take(milliseconds: number): boolean {
    if (milliseconds > this.#left) return false;
    this.#left -= milliseconds;
    return true;
  }
}

/** How often one request is sent again, and how long it is waited for. */
export class Retries {
  readonly #budget: WaitBudget;
  #tries = 1;
  #waited = 0;

  constructor(budget: WaitBudget = new WaitBudget()) {
    this.#budget = budget;
  }

  /**
   * Milliseconds to wait before the request is sent again; undefined when the answer is final: it is no temporary error,
   * or the server asks for more time than there is. No status: there was no answer. `spent`: milliseconds in which the
   * tries got none, where that counts too.
   */
  next(status?: number, retryAfter?: string, spent = 0): number | undefined {
    if ((status !== undefined && !isTemporary(status)) || this.#tries >= maxTries) return undefined;
    const { patience } = this.#budget;
    const backoff = Math.min(longestFirst, patience / 120) * 2 ** (this.#tries - 1) * (0.5 + Math.random());
    const delay = Math.max(retryAfterDelay(retryAfter) ?? 0, backoff);
    if (Math.max(this.#waited, spent) + delay > patience || !this.#budget.take(delay)) return undefined;
    this.#tries++;
    this.#waited += delay;
    return delay;
  }
}

/** Whether the same request may be answered otherwise a little later. */
export function isTemporary(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 505);
}

/** Retry-After in milliseconds: seconds or a date. @see RFC 9110 10.2.3 */
export function retryAfterDelay(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const date = httpDate(text);
  return date === undefined ? undefined : date - Date.now();
}

/** Waits; rejects when the signal is aborted. */
export async function wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  const { setTimeout } = await import("node:timers/promises");
  await setTimeout(milliseconds, undefined, signal === undefined ? {} : { signal });
}
