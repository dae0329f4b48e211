import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import type { Job, Report } from "./guided/worker.ts";
import type { FuzzTarget } from "./rig/target.ts";
import { allTargets } from "./targets/all.ts";

/**
 * `npm run fuzz -- [--minutes N] [--seed N] [target...]`: tries inputs on each target, led by the branches that they take.
 * The corpus is kept in .cache/fuzz; a failing input is made small and becomes a fixture that the tests replay.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: "string", default: "1" }, seed: { type: "string" } },
});
const maxInput = 1 << 20;
/** Milliseconds without a new input after which one hangs. */
const patience = 20_000;

async function fuzz(target: FuzzTarget, seconds: number, seed: number): Promise<boolean> {
  const shared = new SharedArrayBuffer(maxInput);
  const corpus = join(import.meta.dirname, "../../.cache/fuzz", target.name);
  const job: Job = { target: target.name, sources: target.sources, seconds, seed, corpus, shared };
  const worker = new Worker(join(import.meta.dirname, "guided/worker.ts"), { workerData: job, stderr: false });
  const { promise, resolve, reject } = Promise.withResolvers<Report | "hangs">();
  worker.on("message", resolve).on("error", reject);
  let last = "";
  const watchdog = setInterval(() => {
    const now = createHash("sha256").update(current(shared)).digest("hex");
    if (now === last) resolve("hangs");
    last = now;
  }, patience);
  try {
    return tell(target, seed, await promise, shared);
  } finally {
    clearInterval(watchdog);
    await worker.terminate();
  }
}

function tell(target: FuzzTarget, seed: number, report: Report | "hangs", shared: SharedArrayBuffer): boolean {
  if (report === "hangs") return fail(target, seed, "it hangs", current(shared));
  const { executions, seconds, corpus, covered, places, failure } = report;
  const rate = Math.round(executions / Math.max(seconds, 0.001));
  console.log(`${target.name}: ${executions} inputs, ${rate}/s, ${covered} of ${places} branches, corpus ${corpus}`);
  return failure === undefined || fail(target, seed, failure.message, failure.input);
}

function fail(target: FuzzTarget, seed: number, message: string, input: Uint8Array): false {
  const directory = join(import.meta.dirname, "crashers", target.name);
  mkdirSync(directory, { recursive: true });
  const file = join(directory, createHash("sha256").update(input).digest("hex").slice(0, 12));
  writeFileSync(file, input);
  console.log(
    `${target.name} FAILS (seed ${seed}): ${message}\n  input: ${JSON.stringify(Buffer.from(input).toString("latin1").slice(0, 400))}`,
  );
  console.log(`  kept as ${relative(process.cwd(), file)}`);
  return false;
}

function current(shared: SharedArrayBuffer): Buffer {
  const bytes = Buffer.from(shared);
  return Buffer.from(bytes.subarray(4, 4 + bytes.readUInt32LE(0)));
}

const chosen = allTargets.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
if (chosen.length === 0)
  throw new RangeError(`no such target; there are ${allTargets.map(({ name }) => name).join(", ")}`);
const seconds = (Number(values.minutes) * 60) / chosen.length;
let passed = 0;
for (const target of chosen) {
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
  if (await fuzz(target, seconds, seed)) passed++;
}
console.log(`${passed} passed, ${chosen.length - passed} failed`);
process.exitCode = passed === chosen.length ? 0 : 1;
