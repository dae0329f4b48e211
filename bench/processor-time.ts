import { libcFunction } from "../native/syscall.ts";

const RUSAGE_SELF = 0;
const RUSAGE_CHILDREN = -1;
const getrusage = libcFunction("int getrusage(int, void *)");

/** Milliseconds of processor time of this process and its children that have ended. @see getrusage(2) */
export function processorTime(): number {
  return usedBy(RUSAGE_SELF) + usedBy(RUSAGE_CHILDREN);
}

function usedBy(who: number): number {
  const usage = new BigInt64Array(18);
  getrusage(who, usage);
  const [seconds = 0n, micros = 0n, systemSeconds = 0n, systemMicros = 0n] = usage;
  return Number(seconds + systemSeconds) * 1000 + Number(micros + systemMicros) / 1000;
}
