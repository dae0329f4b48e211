/** A source of numbers that gives the same ones for the same seed (xorshift). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0 || 1;
  }

  /** From 0 to below `limit`. */
  below(limit: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return (state >>> 0) % Math.max(1, limit);
  }

  of<T>(list: readonly T[]): T {
    const found = list[this.below(list.length)];
    if (found === undefined) throw new RangeError("an empty list");
    return found;
  }
}

type Change = (input: Buffer, random: Random, words: Words) => Buffer;

/** What mutations put in: the target's tokens, and other inputs. */
export interface Words {
  readonly tokens: readonly Buffer[];
  readonly others: readonly Buffer[];
}

const changes: readonly Change[] = [
  (input, random) => {
    const copy = Buffer.from(input);
    const at = random.below(copy.length);
    if (copy.length > 0) copy.writeUInt8((copy[at] ?? 0) ^ (1 << random.below(8)), at);
    return copy;
  },
  (input, random) => put(input, random, 1, Buffer.of(random.below(256))),
  (input, random) => put(input, random, 0, Buffer.of(random.of([0, 9, 10, 13, 32, 34, 39, 92, 47, 0x7f, 0xff]))),
  (input, random, { tokens }) => put(input, random, 0, random.of(tokens)),
  (input, random, { tokens }) => put(input, random, random.below(8), random.of(tokens)),
  (input, random) => put(input, random, 1 + random.below(input.length >> 1), Buffer.alloc(0)),
  (input, random) => put(input, random, 0, part(input, random)),
  (input, random, { others }) => put(input, random, random.below(16), part(random.of(others), random)),
  (input, random, { others }) => Buffer.concat([part(input, random), part(random.of(others), random)]),
  (input, random, { tokens }) =>
    put(input, random, 0, Buffer.concat(Array<Buffer>(1 + random.below(40)).fill(random.of(tokens)))),
];

/** The input with a few things about it changed. */
export function mutate(input: Buffer, random: Random, words: Words): Buffer {
  let result = input;
  for (let count = 1 + random.below(5); count > 0; count--) result = random.of(changes)(result, random, words);
  return result.subarray(0, 1 << random.of([8, 10, 12, 12, 14]));
}

function put(input: Buffer, random: Random, cut: number, piece: Buffer): Buffer {
  const at = random.below(input.length + 1);
  return Buffer.concat([input.subarray(0, at), piece, input.subarray(at + cut)]);
}

function part(input: Buffer, random: Random): Buffer {
  const start = random.below(input.length);
  return input.subarray(start, start + 1 + random.below(input.length - start));
}

/** A smaller input that still fails, found by leaving parts out. */
export async function shrink(input: Buffer, fails: (input: Buffer) => Promise<boolean>): Promise<Buffer> {
  let best = input;
  for (let size = best.length >> 1, tries = 0; size > 0 && tries < 3000;) {
    let smaller = false;
    for (let at = 0; at < best.length && tries < 3000; tries++) {
      const without = Buffer.concat([best.subarray(0, at), best.subarray(at + size)]);
      if (await fails(without)) [best, smaller] = [without, true];
      else at += size;
    }
    if (!smaller) size >>= 1;
  }
  return best;
}
