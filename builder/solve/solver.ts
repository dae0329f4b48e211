import { randomBytes } from "node:crypto";
import { errorMessage } from "../../native/errors.ts";
import { digestOf, type Digest } from "../../store/oci/digest.ts";
import type { CacheRecord, Store } from "../../store/store.ts";
import type { ProgressSink } from "../graph/events.ts";
import type { CacheLimit } from "../graph/cache-limit.ts";
import type { Vertex } from "../graph/vertex.ts";
import type { MissCause } from "../graph/causes.ts";
import { telling } from "./committing.ts";
import type { Op, OpContext, OpTable } from "./op.ts";
import { Breath } from "./breath.ts";
import { ResultKeeper } from "./keeper.ts";
import { Semaphore } from "../base/semaphore.ts";
import type { Workers } from "./worker/task.ts";
import type { StepHistory } from "./step-history.ts";
import { now } from "../../native/clock.ts";
import { canceled } from "../graph/vertex-events.ts";
import { StepReports } from "./step-reports.ts";
import type { SolvedStep, StepKey } from "./step.ts";

/** Who waits for it goes on with an empty stack: a chain of steps may have any length. */
const unwound = Promise.resolve();

/** What a solve works with. */
export interface SolverOptions {
  readonly store: Store;
  readonly ops: OpTable;
  readonly emit: ProgressSink;
  readonly signal: AbortSignal;
  /** Steps running at once. */
  readonly parallelism: number;
  /** Sets this build's steps apart from another project's with the same stage names. */
  readonly slotPrefix: string;
  /** Told of every key and result, asked why a step was not found. */
  readonly history: StepHistory;
  /** Of steps that have none of their own. */
  readonly cacheLimit: CacheLimit | undefined;
  /** For layers and copies too big for the main thread. */
  readonly workers: Workers;
  readonly squashOwners: boolean;
  /** Where all that a step printed is kept. */
  readonly logPath: OpContext["logPath"];
}

/** A step looked up without running anything. `record` undefined: not in the cache. */
interface Peeked {
  readonly key: Digest;
  readonly own: StepKey | undefined;
  readonly record: CacheRecord | undefined;
  /** Why no result may stand for it: then `key` is one that nobody knows, and what stands on it is not found either. */
  readonly forced?: MissCause;
}

/** How a step is run: its keys, of which the first names its result. */
interface Plan {
  readonly op: Op;
  readonly own: StepKey;
  readonly keys: readonly Digest[];
  readonly forced: MissCause | undefined;
}

/**
 * Solves vertices on demand: a step whose key is recorded is taken from the cache without looking at its inputs'
 * results; otherwise its inputs are solved (side by side), its content key is tried, and only then it runs.
 * Each vertex is solved once. The first failure aborts the others; finished results are kept by keep().
 */
export class Solver {
  readonly #options: SolverOptions;
  readonly #abort = new AbortController();
  readonly #signal: AbortSignal;
  readonly #context: OpContext;
  readonly #slots: Semaphore;
  readonly #peeked = new Map<Digest, Promise<Peeked>>();
  readonly #solved = new Map<Digest, Promise<SolvedStep>>();
  readonly #keeper: ResultKeeper;
  readonly #reports: StepReports;
  readonly #breath = new Breath();

  constructor(options: SolverOptions) {
    this.#options = options;
    this.#signal = AbortSignal.any([options.signal, this.#abort.signal]);
    const { store, emit, logPath, workers, squashOwners } = options;
    this.#context = { store, signal: this.#signal, emit, logPath, workers, squashOwners };
    this.#reports = new StepReports(options.emit);
    this.#slots = new Semaphore(options.parallelism);
    this.#keeper = new ResultKeeper(options.store);
  }

  /** Steps that made or could have made a layer: how many there were and came from the cache. */
  get counts(): { readonly total: number; readonly cached: number } {
    return this.#reports.counts;
  }

  /** The result of a vertex. @throws the first failure of it or of anything it needs */
  async solve(vertex: Vertex): Promise<SolvedStep> {
    const known = this.#solved.get(vertex.digest);
    if (known !== undefined) return known;
    const solving = this.#solve(vertex).then(
      (step) => {
        this.#options.history.settle(vertex);
        return step;
      },
      (error: unknown) => {
        this.#abort.abort(error);
        throw error;
      },
    );
    this.#solved.set(vertex.digest, solving);
    return solving;
  }

  /** What is known of a vertex's result without running anything; undefined when nothing is. */
  async known(
    vertex: Vertex,
  ): Promise<{ readonly snapshotID: string | undefined; readonly created: number } | undefined> {
    const solved = await this.#solved.get(vertex.digest);
    if (solved !== undefined) return { snapshotID: solved.snapshot?.id, created: solved.created };
    const { record } = await this.#peek(vertex);
    return record === undefined ? undefined : { snapshotID: record.snapshotID, created: record.created };
  }

  /** Makes every finished step durable and findable; also after a failure. Waits for the steps still ending. */
  async keep(): Promise<void> {
    await Promise.allSettled(this.#solved.values());
    using keeper = this.#keeper;
    await telling(keeper.waiting(), this.#options.emit, keeper.keep());
  }

  async #peek(vertex: Vertex): Promise<Peeked> {
    const known = this.#peeked.get(vertex.digest);
    if (known !== undefined) return known;
    const peeking = this.#look(vertex);
    this.#peeked.set(vertex.digest, peeking);
    return peeking;
  }

  async #look(vertex: Vertex): Promise<Peeked> {
    await unwound;
    // A forced step has a result that nobody knows yet; what stands on it must not be found by its old key.
    if (vertex.ignoreCache)
      return { key: randomKey(), own: undefined, record: undefined, forced: { kind: "no-cache" } };
    const inputs = await Promise.all(vertex.inputs.map((input) => this.#peek(input)));
    const op = this.#options.ops(vertex);
    const own = await op.key(
      vertex,
      inputs.map((input) => input.key),
      this.#context,
    );
    const found = op.recorded ? this.#options.store.cache.find(own.key) : undefined;
    const forced = op.recorded ? this.#expired(vertex, found) : undefined;
    const record = forced === undefined ? found : undefined;
    if (record !== undefined) this.#reports.cached(vertex, op);
    const key = forced === undefined ? (record?.keys[0] ?? own.key) : randomKey();
    this.#options.history.note(vertex, own, key);
    return { key, own, record, ...(forced === undefined ? {} : { forced }) };
  }

  async #solve(vertex: Vertex): Promise<SolvedStep> {
    const peeked = await this.#peek(vertex);
    const found = peeked.record === undefined ? undefined : this.#fromRecord(vertex, peeked.record);
    if (found !== undefined) return found;
    await unwound;
    const inputs = await Promise.all(vertex.inputs.map((input) => this.solve(input)));
    this.#signal.throwIfAborted();
    return await this.#solveOver(vertex, inputs, peeked);
  }

  /** The inputs are there: looks again with their final keys and content, then runs. */
  async #solveOver(vertex: Vertex, inputs: readonly SolvedStep[], peeked: Peeked): Promise<SolvedStep> {
    const op = this.#options.ops(vertex);
    const keys = inputs.map((input) => input.key);
    const defined = await op.key(vertex, keys, this.#context);
    const content = await op.contentKey?.(vertex, inputs, this.#context);
    const own = content === undefined ? defined : withContent(defined, content);
    const all = content === undefined ? [own.key] : [own.key, content.key];
    const how: Plan = {
      op,
      own,
      keys: peeked.forced === undefined ? all : [peeked.key, ...all],
      forced: peeked.forced,
    };
    // Results that nobody may use are not waited for.
    const alone = !op.recorded || vertex.ignoreCache || peeked.forced?.kind === "never";
    if (alone) return await this.#runAlone(vertex, inputs, how);
    const found = this.#find(
      vertex,
      own,
      all.filter((key) => key !== peeked.own?.key),
    );
    return found === undefined ? await this.#runShared(vertex, inputs, how) : this.#takeCached(vertex, op, found);
  }

  /** The first usable result of these keys; the next build finds it by the key by definition. */
  #find(vertex: Vertex, own: StepKey, keys: readonly Digest[]): SolvedStep | undefined {
    for (const key of keys) {
      const record = this.#options.store.cache.find(key);
      if (record === undefined || this.#expired(vertex, record) !== undefined) continue;
      const found = this.#fromRecord(vertex, record);
      if (found === undefined) continue;
      this.#options.history.note(vertex, own, found.key);
      if (!record.keys.includes(own.key)) this.#keeper.alias({ ...record, keys: [...record.keys, own.key] });
      return found;
    }
    return undefined;
  }

  #takeCached(vertex: Vertex, op: Op, found: SolvedStep): SolvedStep {
    this.#reports.cached(vertex, op);
    return found;
  }

  #fromRecord(vertex: Vertex, record: CacheRecord): SolvedStep | undefined {
    const { snapshots } = this.#options.store;
    const [key] = record.keys;
    const snapshot = record.snapshotID === undefined ? undefined : snapshots.get(record.snapshotID);
    if (key === undefined || (record.snapshotID !== undefined && snapshot === undefined)) return undefined;
    const identity = snapshot === undefined ? undefined : snapshots.identity(snapshot);
    return { vertex, key, snapshot, identity: Promise.resolve(identity), created: record.created, cached: true };
  }

  async #runAlone(vertex: Vertex, inputs: readonly SolvedStep[], how: Plan): Promise<SolvedStep> {
    using _slot = await this.#slots.acquire(this.#signal);
    return await this.#run(vertex, inputs, how, undefined);
  }

  /**
   * Runs the step unless another build runs it already: then its result is waited for. Nobody waits for a lock while
   * holding a slot, and who holds a lock waits for slots only, whose holders run: builds cannot block each other.
   */
  async #runShared(vertex: Vertex, inputs: readonly SolvedStep[], how: Plan): Promise<SolvedStep> {
    const { stepLocks } = this.#options.store;
    const { key } = how.own;
    let slot: Disposable | undefined = await this.#slots.acquire(this.#signal);
    let lock: Disposable | undefined;
    try {
      lock = stepLocks.tryLock(key);
      if (lock === undefined) {
        slot[Symbol.dispose]();
        slot = undefined;
        lock = await this.#awaitOther(vertex, how);
      }
      // Another build may have ended the step since it was looked for.
      const found = this.#find(vertex, how.own, how.forced === undefined ? how.keys : how.keys.slice(1));
      if (found !== undefined) return this.#takeCached(vertex, how.op, found);
      slot ??= await this.#slots.acquire(this.#signal);
      const held = lock;
      lock = undefined;
      return await this.#run(vertex, inputs, how, held);
    } finally {
      lock?.[Symbol.dispose]();
      slot?.[Symbol.dispose]();
    }
  }

  /** The lock of a step that another build runs now. */
  async #awaitOther(vertex: Vertex, how: Plan): Promise<Disposable> {
    const { stepLocks } = this.#options.store;
    const { digest } = vertex;
    const emit: ProgressSink = how.op.silent === true ? () => undefined : this.#options.emit;
    const events = this.#reports.events(vertex, how.op);
    events.announce();
    const started = now();
    const status = { kind: "status", digest, id: "waiting for another build", current: 0, total: 0, started } as const;
    events.started(started);
    emit({ ...status, time: started });
    try {
      const lock = await stepLocks.lock(how.own.key, this.#signal);
      emit({ ...status, time: now(), completed: now() });
      return lock;
    } catch (error) {
      events.failed(canceled);
      throw error;
    }
  }

  /** Runs the step; `lock` is let go when its result can be found, or there is none. */
  async #run(
    vertex: Vertex,
    inputs: readonly SolvedStep[],
    how: Plan,
    lock: Disposable | undefined,
  ): Promise<SolvedStep> {
    const { history } = this.#options;
    const key = how.keys[0] ?? how.own.key;
    const silent = how.op.silent === true;
    const events = this.#reports.events(vertex, how.op);
    try {
      history.note(vertex, how.own, key);
      history.begin(vertex);
      events.announce();
      events.started();
      await this.#breath.take();
      this.#signal.throwIfAborted();
      if (how.op.recorded && !silent) this.#explain(vertex, how.forced);
      const { snapshot, identity, progress } = await how.op.exec(vertex, inputs, this.#context);
      identity.catch(() => undefined);
      const created = Date.now();
      events.completed();
      const step: SolvedStep = { vertex, key, snapshot, identity, progress, created, cached: false };
      if (how.op.recorded) {
        if (!silent) this.#reports.ran();
        const record = {
          keys: how.keys,
          slot: this.#slot(vertex),
          snapshotID: snapshot?.id,
          inputs: withoutFiles(how.own.inputs()),
          created,
        };
        this.#keeper.add(step, record, lock);
      }
      return step;
    } catch (error) {
      lock?.[Symbol.dispose]();
      history.fail(vertex);
      events.failed(this.#signal.aborted ? canceled : errorMessage(error));
      throw error;
    }
  }

  /** Why a record may not be used, or no record could be. */
  #expired(vertex: Vertex, record: CacheRecord | undefined): MissCause | undefined {
    const limit = vertex.cacheLimit ?? this.#options.cacheLimit;
    if (limit === undefined) return undefined;
    if (limit.milliseconds === 0)
      return {
        kind: "never",
        by: vertex.cacheLimit === undefined ? `--cache-ttl=${limit.text}` : `# cache=${limit.text}`,
      };
    const old = record !== undefined && Date.now() - record.created > limit.milliseconds;
    return old ? { kind: "expired", limit: limit.text } : undefined;
  }

  #explain(vertex: Vertex, forced: MissCause | undefined): void {
    const causes = forced === undefined ? this.#options.history.explain(vertex) : [forced];
    this.#reports.missed(vertex, causes);
  }

  #slot(vertex: Vertex): string {
    return digestOf(`${this.#options.slotPrefix}\0${vertex.slot}`);
  }
}

/** The key by definition, explained by what the step reads too. */
function withContent(own: StepKey, content: StepKey): StepKey {
  return { key: own.key, inputs: () => ({ ...own.inputs(), ...content.inputs() }) };
}

/** A record says what it is; which files those were is kept once, for the last build. */
function withoutFiles(inputs: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(inputs).filter(([name]) => !name.startsWith("file ")));
}

function randomKey(): Digest {
  return digestOf(randomBytes(32));
}
