import { describe, expect, it } from "vitest";
import { expandWord, expandWords } from "../../../builder/dockerfile/expand.ts";

const env = new Map([
  ["A", "hello"],
  ["EMPTY", ""],
  ["PATHLIKE", "/usr/local/lib/libfoo.so.1.2"],
  ["SP", "a b"],
  ["D", "aXbXc"],
]);
const rows: readonly (readonly [string, string])[] = [
  ["$A", "hello"],
  ["${A}world", "helloworld"],
  ["'$A'", "$A"],
  ['"$A"', "hello"],
  ["\\$A", "$A"],
  ['"\\$A"', "$A"],
  ['"a\\b"', "a\\b"],
  ["${X:-def}", "def"],
  ["${EMPTY:-def}", "def"],
  ["${EMPTY-def}", ""],
  ["${X-def}", "def"],
  ["${A:+yes}", "yes"],
  ["${EMPTY:+yes}", ""],
  ["${EMPTY+yes}", "yes"],
  ["${X:-${A}}", "hello"],
  ["${X:-a$A}", "ahello"],
  ["${PATHLIKE#*/}", "usr/local/lib/libfoo.so.1.2"],
  ["${PATHLIKE##*/}", "libfoo.so.1.2"],
  ["${PATHLIKE%.*}", "/usr/local/lib/libfoo.so.1"],
  ["${PATHLIKE%%.*}", "/usr/local/lib/libfoo"],
  ["${D/X/-}", "a-bXc"],
  ["${D//X/-}", "a-b-c"],
  ["$", "$"],
  ["a$", "a$"],
  ["$1x", "x"],
  ["${A?no}", "hello"],
  ["\\a", "a"],
  ["a\\", "a"],
];

describe("expandWord()", () => {
  for (const [raw, text] of rows) {
    it(`gives ${JSON.stringify(text)} for ${raw}`, () => {
      expect(expandWord(raw, env, { escape: "\\" }).text).toBe(text);
    });
  }

  for (const raw of [
    "${}",
    "${",
    "${:x}",
    "${{",
    "${A",
    "'open",
    '"open',
    "${X?gone}",
    "${EMPTY:?gone}",
    "${A:#x}",
    "${D//\\X/-}",
    "${A%\\=}",
  ]) {
    it(`refuses ${raw}`, () => {
      expect(() => expandWord(raw, env, { escape: "\\" })).toThrow(expect.objectContaining({ code: "E_EXPAND" }));
    });
  }

  it("names the variables that have no value, with a modifier too", () => {
    expect(expandWord("$A $NOPE ${ALSO:-x}", env, { escape: "\\" }).unmatched).toEqual(["NOPE", "ALSO"]);
  });

  it("takes a pattern with many stars in linear time", () => {
    const long = new Map([["V", "a".repeat(5000)]]);
    const started = performance.now();
    expandWord("${V##*a*a*a*a*a*b}", long, { escape: "\\" });
    expect(performance.now() - started).toBeLessThan(1000);
  });
});

describe("expandWords()", () => {
  it("cuts at white space of a variable's value but not inside quotes", () => {
    expect(expandWords('$SP "$SP"', env, { escape: "\\" })).toEqual(["a", "b", "a b"]);
  });
});
