import type { Parameters } from "fast-check";

/** The inputs of an ordinary test run are the same every time and everywhere. */
const fixedSeed = 20_260_101;

/**
 * What a property tries: so many inputs of the fixed seed. With TSBUILD_FUZZ_SECONDS what chance finds in that time,
 * with TSBUILD_FUZZ_SEED what it found before.
 */
export function budget<T>(runs: number): Parameters<T> {
  const { TSBUILD_FUZZ_SECONDS: seconds, TSBUILD_FUZZ_SEED: seed } = process.env;
  if (seconds === undefined) return { numRuns: runs, seed: Number(seed ?? fixedSeed) };
  return {
    numRuns: 1_000_000_000,
    interruptAfterTimeLimit: Number(seconds) * 1000,
    markInterruptAsFailure: false,
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  };
}
