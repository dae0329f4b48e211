import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "../builder/index.ts";
import { buildBases } from "../test/rig/bases.ts";

/**
 * Wall time of stages that do not need each other, as a ratio to the longest chain of steps alone: 1 would be a build
 * that costs nothing but that chain. Usage: node bench/parallel.ts
 */
const rounds = 5;
const chains: Readonly<Record<string, readonly number[]>> = {
  a: [0.6, 0.4],
  b: [0.5, 0.3],
  c: [0.9],
  d: [0.3, 0.3, 0.3],
};
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const stages = Object.entries(chains).map(([name, seconds]) => {
  const steps = seconds.map((time, at) => `RUN sleep ${time} && echo ${at} > /${name}`);
  return [`FROM busybox:1 AS ${name}`, ...steps].join("\n");
});
const copies = Object.keys(chains).map((name) => `COPY --from=${name} /${name} /`);
const longest = Math.max(...Object.values(chains).map((seconds) => seconds.reduce((sum, time) => sum + time, 0)));

const directory = mkdtempSync(join(tmpdir(), "tsbuild-bench-"));
try {
  const root = join(directory, "store");
  const context = join(directory, "context");
  mkdirSync(context);
  writeFileSync(join(context, "Dockerfile"), [...stages, "FROM busybox:1", ...copies].join("\n"));
  await buildBases(root, ["busybox"]);
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    await build({ root, context, noCache: true, network: "host", maxParallelism: 8 }).result;
    ratios.push((performance.now() - started) / 1000 / longest);
  }
  console.log(`independent stages / longest chain   ${median(ratios).toFixed(2)}x   (aim: at most 1.15)`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
