import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import fc from "fast-check";
import { checkInput } from "../rig/check.ts";
import { hugeInputsOf, inputsOf, type FuzzTarget } from "../rig/target.ts";
import { counters, countPlaces, instrumentModules } from "./instrument.ts";
import { mutate, Random, shrink } from "./mutate.ts";

/** What the main thread tells: which target, for how long, and where it reads what is being tried. */
export interface Job {
  readonly target: string;
  readonly sources: readonly string[];
  readonly seconds: number;
  readonly seed: number;
  readonly corpus: string;
  /** Length in the first four bytes, then the input. */
  readonly shared: SharedArrayBuffer;
}

/** What comes back in the end, or with the first failure. */
export interface Report {
  readonly executions: number;
  readonly seconds: number;
  readonly corpus: number;
  readonly covered: number;
  readonly places: number;
  readonly failure?: { readonly message: string; readonly input: Uint8Array };
}

/** Instrumented code counts as well: it is slower than what ships. */
const slowdown = 4;
const buckets = Uint8Array.from({ length: 256 }, (_, count) =>
  count === 0 ? 0 : count < 4 ? 1 << (count - 1) : 1 << Math.min(7, Math.floor(Math.log2(count)) + 1),
);

class Loop {
  readonly #job: Job;
  readonly #target: FuzzTarget;
  readonly #random: Random;
  readonly #corpus: Buffer[] = [];
  readonly #tokens: readonly Buffer[];
  /** Which counts of which places were ever seen. */
  readonly #seen = new Uint8Array(counters.length);
  readonly #shown: Buffer;
  #executions = 0;

  constructor(job: Job, target: FuzzTarget) {
    this.#job = job;
    this.#target = target;
    this.#random = new Random(job.seed);
    this.#tokens = target.tokens.map((token) => Buffer.from(token));
    this.#shown = Buffer.from(job.shared);
  }

  async run(): Promise<Report> {
    const started = performance.now();
    const seconds = (): number => (performance.now() - started) / 1000;
    const failure = await this.#search(() => seconds() < this.#job.seconds);
    const covered = this.#seen.reduce((sum, bits) => sum + Number(bits !== 0), 0);
    const report = {
      executions: this.#executions,
      seconds: seconds(),
      corpus: this.#corpus.length,
      covered,
      places: countPlaces(),
    };
    return failure === undefined ? report : { ...report, failure };
  }

  async #search(goesOn: () => boolean): Promise<Report["failure"]> {
    for (const input of [...this.#known(), ...this.#target.seeds.map((seed) => Buffer.from(seed))]) {
      const failure = await this.#try(input);
      if (failure !== undefined) return failure;
    }
    const made = [inputsOf(this.#target), hugeInputsOf(this.#target)].map((inputs, at) =>
      fc.sample(inputs, { numRuns: at === 0 ? 400 : 40, seed: this.#job.seed }),
    );
    for (const input of made.flat()) {
      const failure = await this.#try(input);
      if (failure !== undefined) return failure;
    }
    if (this.#corpus.length === 0)
      throw new RangeError(`${this.#target.name} takes no branch of its sources, ${this.#target.sources.join(", ")}`);
    while (goesOn()) {
      const words = { tokens: this.#tokens, others: this.#corpus };
      // What was found last leads on more often than what is old.
      const recent = this.#corpus.slice(-20);
      const parent = this.#random.of(this.#random.below(3) === 0 ? recent : this.#corpus);
      const failure = await this.#try(mutate(parent, this.#random, words));
      if (failure !== undefined) return failure;
    }
    return undefined;
  }

  async #try(input: Buffer): Promise<Report["failure"]> {
    counters.fill(0, 0, countPlaces());
    this.#executions++;
    const message = await this.#fails(input);
    if (message !== undefined) {
      const small = await shrink(input, async (one) => kind(await this.#fails(one)) === kind(message));
      return { message, input: small };
    }
    if (this.#isNew()) this.#keep(input);
    return undefined;
  }

  async #fails(input: Buffer): Promise<string | undefined> {
    this.#shown.writeUInt32LE(input.length, 0);
    input.copy(this.#shown, 4);
    try {
      await checkInput(this.#target, input, slowdown);
      return undefined;
    } catch (error) {
      return describe(error);
    }
  }

  #isNew(): boolean {
    let fresh = false;
    for (let at = countPlaces() - 1; at >= 0; at--) {
      const bit = buckets[counters[at] ?? 0] ?? 0;
      if ((bit & ~(this.#seen[at] ?? 0)) === 0) continue;
      this.#seen[at] = (this.#seen[at] ?? 0) | bit;
      fresh = true;
    }
    return fresh;
  }

  #keep(input: Buffer): void {
    this.#corpus.push(input);
    mkdirSync(this.#job.corpus, { recursive: true });
    writeFileSync(join(this.#job.corpus, createHash("sha256").update(input).digest("hex").slice(0, 16)), input);
  }

  #known(): readonly Buffer[] {
    mkdirSync(this.#job.corpus, { recursive: true });
    return readdirSync(this.#job.corpus).map((name) => readFileSync(join(this.#job.corpus, name)));
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const below = error.cause === undefined ? "" : `\ncaused by ${describe(error.cause)}`;
  return (error.stack ?? error.message).split("\n").slice(0, 8).join("\n") + below;
}

/** Failures of one kind are the same but for numbers and what was read. */
function kind(message: string | undefined): string | undefined {
  return message
    ?.replace(/["'`].*?["'`]|\d+/g, "")
    .split("\n")
    .slice(0, 2)
    .join(" ")
    .slice(0, 160);
}

const job: Job = workerData;
instrumentModules(job.sources);
const { allTargets } = await import("../targets/all.ts");
const target = allTargets.find(({ name }) => name === job.target);
if (target === undefined) throw new RangeError(`no target ${job.target}`);
parentPort?.postMessage(await new Loop(job, target).run());
