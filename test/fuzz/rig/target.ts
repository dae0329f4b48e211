import fc from "fast-check";

/** One thing that reads what others wrote, and what has to be true of it for every input. */
export interface FuzzTarget {
  readonly name: string;
  /** Sources that are read for coverage: paths from the project's top, folders end with a slash. */
  readonly sources: readonly string[];
  /** Pieces that mean something to it; inputs are made of them. */
  readonly tokens: readonly string[];
  /** Whole inputs to begin with. */
  readonly seeds: readonly (string | Uint8Array)[];
  /** Inputs by a grammar, where there is one. */
  readonly grammar?: fc.Arbitrary<string | Uint8Array>;
  /** Largest input in bytes, of those that must not take over a second of processor time; default 64 KiB. */
  readonly limit?: number;
  /** @throws when something is not as it has to be */
  check(input: Buffer): void | Promise<void>;
}

/** Names that every JavaScript object has and no table should. */
const inherited = ["constructor", "__proto__", "toString", "hasOwnProperty", "valueOf"];
const odd = [
  "",
  "\0",
  "\n",
  "\r\n",
  "\t",
  " ",
  "\u00a0",
  "\ufeff",
  "ü",
  "\u{1f600}",
  "\ud800",
  "é",
  "9".repeat(20),
  "-1",
  "/",
  "\\",
  "'",
  '"',
  "`",
];

export const defaultLimit: number = 64 << 10;

/** Inputs for a target: by its grammar, of its tokens, and of any bytes. */
export function inputsOf(target: FuzzTarget): fc.Arbitrary<Buffer> {
  const piece = pieces(target);
  const mixed = fc.array(piece, { maxLength: 24 }).map((all) => all.join(""));
  const changed = fc
    .tuple(fc.constantFrom(...target.seeds), fc.nat(), fc.nat(8), piece)
    .map(([seed, at, cut, text]) => {
      const bytes = Buffer.from(seed);
      const place = at % (bytes.length + 1);
      return Buffer.concat([bytes.subarray(0, place), Buffer.from(text), bytes.subarray(place + cut)]);
    });
  const bytes = fc.uint8Array({ maxLength: 64 }).map((one) => Buffer.from(one));
  const grammar = target.grammar === undefined ? [] : [{ weight: 6, arbitrary: target.grammar }];
  return fc
    .oneof(
      ...grammar,
      { weight: 4, arbitrary: mixed },
      { weight: 3, arbitrary: changed },
      { weight: 1, arbitrary: bytes },
    )
    .map((input) => Buffer.from(input));
}

/** Inputs as large as allowed that repeat a few tokens: what makes a slow reader slow. */
export function hugeInputsOf(target: FuzzTarget): fc.Arbitrary<Buffer> {
  const piece = pieces(target);
  const few = fc.array(piece, { minLength: 1, maxLength: 3 }).map((all) => all.join(""));
  const edge = fc.array(piece, { maxLength: 2 }).map((all) => all.join(""));
  const { limit = defaultLimit } = target;
  const numbered = fc.tuple(edge, few, few).map(([start, before, after]) => {
    const parts = [start];
    for (let size = 0, at = 0; size < limit; at++) {
      const part = `${before}${at.toString(36)}${after}`;
      size += Buffer.byteLength(part);
      parts.push(part);
    }
    return Buffer.from(parts.join("")).subarray(0, limit);
  });
  const repeated = fc.tuple(edge, few, edge, fc.option(few)).map(([start, unit, end, other]) => {
    const fill = (part: string, size: number): string =>
      part.repeat(Math.max(1, Math.floor(size / Math.max(1, Buffer.byteLength(part)))));
    const body = other === null ? fill(unit, limit) : fill(unit, limit / 2) + fill(other, limit / 2);
    return Buffer.concat([Buffer.from(start), Buffer.from(body), Buffer.from(end)]).subarray(0, limit);
  });
  return fc.oneof({ weight: 3, arbitrary: repeated }, { weight: 1, arbitrary: numbered });
}

function pieces({ tokens }: FuzzTarget): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...tokens) },
    { weight: 1, arbitrary: fc.constantFrom(...odd) },
    { weight: 1, arbitrary: fc.constantFrom(...inherited) },
    { weight: 2, arbitrary: fc.string({ maxLength: 3 }) },
  );
}
