import type { CacheRecord, Store } from "../../store/store.ts";
import type { SolvedStep } from "./step.ts";

/** How often it is looked whether another build waits for a result, in milliseconds. */
const tick = 25;
/** A result is kept at the latest so long after it was made, so that a killed build does not lose much. */
const latest = 5000;
/** No more are put off: each holds a lock, which is a descriptor. */
const most = 500;

interface Finished {
  readonly step: SolvedStep;
  readonly record: CacheRecord;
  readonly lock: Disposable | undefined;
  readonly since: number;
  /** Its layer was hashed, or could not be. */
  ready: boolean;
}

/**
 * Makes results durable and findable. One flush of the file system serves all results there are, and it is put off as
 * long as nobody needs them: to the end of the build, or until another build waits for one of them.
 */
export class ResultKeeper implements Disposable {
  readonly #store: Store;
  readonly #aliases: CacheRecord[] = [];
  #finished: Finished[] = [];
  #flushing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #busy = false;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Takes over the lock of the step's key, and gives it back when the result can be found. */
  add(step: SolvedStep, record: CacheRecord, lock: Disposable | undefined): void {
    const finished: Finished = { step, record, lock, since: Date.now(), ready: false };
    this.#finished.push(finished);
    const ready = (): void => {
      finished.ready = true;
    };
    step.identity.then(ready, ready);
    this.#timer ??= setInterval(() => this.#look(), tick).unref();
  }

  /** Another key for a result that is there already. */
  alias(record: CacheRecord): void {
    this.#aliases.push(record);
  }

  /** The results whose layers are not hashed yet. */
  waiting(): readonly SolvedStep[] {
    return this.#finished.filter(({ ready }) => !ready).map(({ step }) => step);
  }

  /** Keeps all results; waits for their layers. */
  async keep(): Promise<void> {
    await Promise.allSettled(this.#finished.map(({ step }) => step.identity));
    await this.#flush();
    if (this.#aliases.length > 0) this.#store.cache.put(this.#aliases.splice(0));
  }

  /** Lets go of what was not kept. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    for (const { lock } of this.#finished.splice(0)) lock?.[Symbol.dispose]();
  }

  #look(): void {
    const oldest = this.#finished.find(({ ready }) => ready);
    if (oldest === undefined) return;
    const due = Date.now() - oldest.since >= latest || this.#finished.length >= most;
    if (this.#busy || (!due && !this.#store.stepLocks.wanted())) return;
    this.#busy = true;
    this.#flush().then(
      () => {
        this.#busy = false;
      },
      // What goes wrong here goes wrong again in keep(), and is told there.
      () => clearInterval(this.#timer),
    );
  }

  /** Keeps what is ready; one flush after the other. */
  async #flush(): Promise<void> {
    const flushing = this.#flushing.then(async () => await this.#flushReady());
    this.#flushing = flushing.catch(() => undefined);
    await flushing;
  }

  async #flushReady(): Promise<void> {
    const batch = this.#finished.filter(({ ready }) => ready);
    if (batch.length === 0) return;
    const done = [];
    for (const { step, record } of batch) {
      const identity = await step.identity.catch(() => undefined);
      if (step.snapshot !== undefined && identity === undefined) continue;
      done.push({ snapshot: step.snapshot, identity, record });
    }
    const { snapshots, cache } = this.#store;
    const layers = done.flatMap(({ snapshot, identity }) =>
      snapshot === undefined || identity === undefined ? [] : [{ snapshot, identity }],
    );
    if (layers.length > 0) await snapshots.persist(layers);
    const records = done.map(({ identity, snapshot, record }) => ({
      ...record,
      snapshotID: identity === undefined ? snapshot?.id : (snapshots.find(identity.chainID)?.id ?? snapshot?.id),
    }));
    if (records.length > 0) cache.put(records);
    const kept = new Set(batch);
    this.#finished = this.#finished.filter((one) => !kept.has(one));
    for (const { lock } of batch) lock?.[Symbol.dispose]();
  }
}
