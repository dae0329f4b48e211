import { libcFunction } from "../native/syscall.ts";

const RUSAGE_SELF = 0;
const RUSAGE_CHILDREN = -1;

/** Milliseconds of processor time of this process and its children that have ended. @see getrusage(2) */
export function processorTime(): number {
  const getrusage = libcFunction("int getrusage(int, void *)");
  const milliseconds = (who: number): number => {
    const usage = Buffer.alloc(144);
    getrusage(who, usage);
    const [seconds, micros, systemSeconds, systemMicros] = new BigInt64Array(usage.buffer, usage.byteOffset, 4);
    return (
      Number(((seconds ?? 0n) + (systemSeconds ?? 0n)) * 1000n) + Number((micros ?? 0n) + (systemMicros ?? 0n)) / 1000
    );
  };
  return milliseconds(RUSAGE_SELF) + milliseconds(RUSAGE_CHILDREN);
}
