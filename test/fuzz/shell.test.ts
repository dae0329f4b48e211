import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expandWord } from "../../builder/dockerfile/expand.ts";
import { budget } from "./rig/budget.ts";

const bash = "/bin/bash";

const literal = fc.string({ unit: fc.constantFrom("a", "b", "x", ".", " ", "-"), maxLength: 4 });
const name = fc.constantFrom("a", "b", "empty", "none");
/** What a shell and BuildKit take alike: no quotes within, no slash, and not empty. */
const pattern = fc.string({ unit: fc.constantFrom("a", "b", ".", "*", "?"), minLength: 1, maxLength: 5 });
/** A star alone may match nothing, of which bash and Go's regular expressions think differently. */
const replaced = fc.tuple(fc.constantFrom("a", "b", "."), pattern).map((parts) => parts.join(""));

const { word } = fc.letrec<{ word: string; part: string }>((tie) => ({
  word: fc.array(tie("part"), { maxLength: 4 }).map((parts) => parts.join("")),
  part: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    literal,
    name.map((one) => `$${one}`),
    name.map((one) => `\${${one}}`),
    fc
      .tuple(name, fc.constantFrom(":-", "-", ":+", "+"), tie("word"))
      .map(([one, sign, rest]) => `\${${one}${sign}${rest}}`),
    fc
      .tuple(name, fc.constantFrom("#", "##", "%", "%%"), pattern)
      .map(([one, sign, rest]) => `\${${one}${sign}${rest}}`),
    fc
      .tuple(fc.constantFrom("a", "b"), fc.constantFrom("/", "//"), replaced, literal)
      .map(([one, sign, from, to]) => `\${${one}${sign}${from}/${to}}`),
  ),
}));
const value = fc.string({ unit: fc.constantFrom("a", "b", ".", "x"), minLength: 1, maxLength: 8 });

/** Each word in double quotes, as bash has it with these variables. */
function byBash(words: readonly string[], env: Readonly<Record<string, string>>): readonly string[] {
  const script = words.map((one) => `printf '%s\\0' "${one}"`).join("\n");
  const output = execFileSync(bash, ["--norc", "--noprofile", "-s"], { input: script, env, encoding: "utf8" });
  return output.split("\0").slice(0, -1);
}

describe.skipIf(!existsSync(bash))(`expandWord() and ${bash}`, () => {
  it("give the same text for what both take", () => {
    const lists = fc.array(word, { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(lists, value, value, (words, a, b) => {
        const env = { a, b, empty: "" };
        const known = new Map(Object.entries(env));
        const ours = words.map((one) => expandWord(`"${one}"`, known, { escape: "\\" }).text);
        expect(ours).toEqual(byBash(words, env));
      }),
      budget(40),
    );
  });
});
