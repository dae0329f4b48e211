import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MaskedStream } from "../../../builder/inputs/secrets/masked-stream.ts";
import { NeedleSet } from "../../../builder/inputs/secrets/needle-set.ts";

/** What it should do, done place by place: `rest` is what may be the beginning of a needle. */
function replaceSlowly(
  text: string,
  needles: readonly string[],
  last: boolean,
): { readonly done: string; readonly rest: string } {
  let done = "";
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at);
    if (!last && needles.some((needle) => needle.length > rest.length && needle.startsWith(rest)))
      return { done, rest };
    const found = needles.filter((needle) => rest.startsWith(needle)).toSorted((a, b) => b.length - a.length)[0];
    done += found === undefined ? rest[0] : "****";
    at += found?.length ?? 1;
  }
  return { done, rest: "" };
}

const word = (most: number, letters: string): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...letters), { minLength: 1, maxLength: most }).map((chars) => chars.join(""));

describe("MaskedStream", () => {
  it.each([
    ["ab", 6, 5],
    ["a", 12, 4],
    ["abc", 4, 12],
  ])("gives out at each write what the definition does, for texts of %s", (letters, longest, count) => {
    const needles = fc.array(word(longest, letters), { minLength: 1, maxLength: count });
    const chunks = fc.array(word(9, `${letters}x`), { maxLength: 12 });
    fc.assert(
      fc.property(needles, chunks, (wanted, written) => {
        const unique = [...new Set(wanted)];
        const set = new NeedleSet(unique.map((needle) => Buffer.from(needle)));
        const stream = new MaskedStream(() => set);
        let rest = "";
        for (const chunk of written) {
          const model = replaceSlowly(rest + chunk, unique, false);
          expect(stream.push(Buffer.from(chunk)).toString()).toBe(model.done);
          ({ rest } = model);
        }
        expect(stream.end().toString()).toBe(replaceSlowly(rest, unique, true).done);
      }),
      { numRuns: 3000 },
    );
  });

  it("looks for what was added while it held something back", () => {
    let set = new NeedleSet([Buffer.from("abcd")]);
    const stream = new MaskedStream(() => set);
    expect(stream.push(Buffer.from("xab")).toString()).toBe("x");
    set = new NeedleSet([Buffer.from("abcd"), Buffer.from("bxyz")]);
    expect(stream.push(Buffer.from("xy")).toString()).toBe("a");
    expect(stream.push(Buffer.from("z")).toString()).toBe("****");
  });

  // Each of these takes minutes where something is looked at once for each place.
  const large = 400_000;
  const long = Buffer.alloc(large, "a");
  const cases: readonly (readonly [string, readonly Buffer[], Buffer, number])[] = [
    ["a text of one letter, but for its end", [Buffer.concat([long, Buffer.from("b")])], long, 1000],
    ["the same byte by byte", [Buffer.concat([long, Buffer.from("b")])], long, 1],
    ["a short text within a long one", [Buffer.concat([long, Buffer.from("b")]), Buffer.from("aaaa")], long, 7],
    [
      "a long text of short ones",
      [Buffer.concat([Buffer.from("abcd\n".repeat(large / 5)), Buffer.from("!")]), Buffer.from("abcd")],
      Buffer.from("abcd\n".repeat(large / 5)),
      3,
    ],
    [
      "many texts that begin alike",
      Array.from({ length: 20_000 }, (_, at) => Buffer.from(`secret line ${at}`)),
      Buffer.from("secret line ".repeat(large / 12)),
      4096,
    ],
    ["many texts that end alike", Array.from({ length: 800 }, (_, at) => Buffer.alloc(at + 4, "a")), long, 64],
  ];
  it.each(cases)("takes a time that grows with the data alone: %s", (_, needles, data, size) => {
    const set = new NeedleSet(needles);
    const stream = new MaskedStream(() => set);
    let bytes = 0;
    for (let round = 0; round < 3; round++)
      for (let at = 0; at < data.length; at += size) bytes += stream.push(data.subarray(at, at + size)).length;
    bytes += stream.end().length;
    expect(bytes).toBeGreaterThan(0);
  });
});
