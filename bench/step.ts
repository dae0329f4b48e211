import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildBases } from "../test/rig/bases.ts";
import { processorTime } from "./processor-time.ts";

/**
 * Processor time of a RUN step over that of its own program: what 41 steps cost more than one, for each of the forty,
 * less what a shell costs that does the same without a container. The least of several runs: what is more is the
 * machine's noise. Usage: node bench/step.ts
 */
const rounds = 7;
const steps = 40;

function cost(command: readonly string[], env: Readonly<Record<string, string>> = {}): number {
  const [program = "", ...args] = command;
  const before = processorTime();
  const { status, stderr } = spawnSync(program, args, { env: { ...process.env, ...env }, encoding: "utf8" });
  if (status !== 0) throw new Error(`${command.join(" ")} ends with ${status}: ${stderr.slice(-400)}`);
  return processorTime() - before;
}

const least = (act: () => number): number => Math.min(...Array.from({ length: rounds }, act));

const directory = mkdtempSync(join(tmpdir(), "tsbuild-bench-"));
try {
  const store = join(directory, "store");
  await buildBases(store, ["busybox"]);
  const command = (count: number): readonly string[] => {
    const context = join(directory, String(count));
    mkdirSync(context, { recursive: true });
    const runs = Array.from({ length: count }, (_, at) => `RUN echo ${at} > /f\n`);
    writeFileSync(join(context, "Dockerfile"), `FROM busybox:1\n${runs.join("")}`);
    const program = join(import.meta.dirname, "../builder/cli/tsbuild");
    return [program, "build", "-q", "--no-cache", "--network", "host", context];
  };
  const env = { TSBUILD_ROOT: store, TSBUILD_BUNDLE: "1" };
  const many = least(() => cost(command(steps + 1), env));
  const one = least(() => cost(command(1), env));
  const script = `i=0; while [ $i -lt ${steps} ]; do busybox sh -c 'echo 1 > "$0"' ${directory}/f; i=$((i+1)); done`;
  const own = least(() => cost(["sh", "-c", script])) / steps;
  const step = (many - one) / steps;
  console.log(`RUN step: ${(step - own).toFixed(2)} ms of CPU over its program's ${own.toFixed(2)} ms`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
