import type { Parameters } from "fast-check";

/** How long a property runs in an ordinary test run; TSBUILD_FUZZ_SECONDS and TSBUILD_FUZZ_SEED come from `npm run fuzz`. */
export function budget<T>(milliseconds: number): Parameters<T> {
  const seconds = process.env["TSBUILD_FUZZ_SECONDS"];
  const seed = process.env["TSBUILD_FUZZ_SEED"];
  return {
    numRuns: 1_000_000_000,
    interruptAfterTimeLimit: seconds === undefined ? milliseconds : Number(seconds) * 1000,
    markInterruptAsFailure: false,
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  };
}
