import { TsbuildError } from "../../../native/errors.ts";
import type { FuzzTarget } from "./target.ts";
import { defaultLimit } from "./target.ts";

/** Microseconds of this thread's processor time that an input may take. */
const maxTime = 1_000_000;

/** Runs a target on one input. @throws when it fails, or takes too long for its size */
export async function checkInput(target: FuzzTarget, input: Buffer, slowdown: number = 1): Promise<void> {
  const before = process.threadCpuUsage();
  await target.check(input);
  const { user, system } = process.threadCpuUsage(before);
  if (input.length <= (target.limit ?? defaultLimit) && user + system > maxTime * slowdown) {
    throw new Error(`${target.name} took ${Math.round((user + system) / 1000)} ms for ${input.length} bytes`);
  }
}

/** What an act came to: never anything but a value or an error of ours. */
export type Outcome<T> =
  | { readonly value: T; readonly error?: never }
  | { readonly value?: never; readonly error: Error };

type ErrorClass = abstract new (...args: never[]) => Error;

/** `also`: classes that are expected beside TsbuildError, which its caller gives a code. @throws what is neither */
export function outcome<T>(act: () => T, ...also: readonly ErrorClass[]): Outcome<T> {
  try {
    return { value: act() };
  } catch (error) {
    return { error: known(error, also) };
  }
}

/** As outcome(). */
export async function outcomeOf<T>(act: () => Promise<T>, ...also: readonly ErrorClass[]): Promise<Outcome<T>> {
  try {
    return { value: await act() };
  } catch (error) {
    return { error: known(error, also) };
  }
}

function known(error: unknown, also: readonly ErrorClass[]): Error {
  const typed = error instanceof TsbuildError && /^E_[A-Z0-9_]+$/.test(error.code);
  if (typed && error.code !== "E_INTERNAL") return error;
  const expected = also.find((one) => error instanceof one);
  if (expected !== undefined && error instanceof expected) return error;
  throw new Error("an error without a code", { cause: error });
}

/** @throws when two values differ */
export function same(what: string, a: unknown, b: unknown): void {
  const [x, y] = [a, b].map((one) => JSON.stringify(one, plain));
  if (x !== y) throw new Error(`${what}: ${x?.slice(0, 2000)} is not ${y?.slice(0, 2000)}`);
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  if (value instanceof Map) return [...value];
  if (value instanceof Set) return [...value];
  return value;
}
