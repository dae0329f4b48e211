import { TsbuildError } from "../../native/errors.ts";

/** Numbers of the resources on every architecture that Node runs on. @see getrlimit(2) */
const numbers: Readonly<Record<string, number>> = {
  RLIMIT_CPU: 0,
  RLIMIT_FSIZE: 1,
  RLIMIT_DATA: 2,
  RLIMIT_STACK: 3,
  RLIMIT_CORE: 4,
  RLIMIT_RSS: 5,
  RLIMIT_NPROC: 6,
  RLIMIT_NOFILE: 7,
  RLIMIT_MEMLOCK: 8,
  RLIMIT_AS: 9,
  RLIMIT_LOCKS: 10,
  RLIMIT_SIGPENDING: 11,
  RLIMIT_MSGQUEUE: 12,
  RLIMIT_NICE: 13,
  RLIMIT_RTPRIO: 14,
  RLIMIT_RTTIME: 15,
};

/** The number of `RLIMIT_NOFILE` and so on. @throws E_RLIMIT_UNKNOWN */
export function rlimitNumber(name: string): number {
  const number = numbers[name];
  if (number === undefined) {
    throw new TsbuildError(`Cannot set ${name}: no such limit`, {
      code: "E_RLIMIT_UNKNOWN",
      hint: "names are those of getrlimit(2): RLIMIT_NOFILE",
    });
  }
  return number;
}
