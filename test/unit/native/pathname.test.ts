import fc from "fast-check";
import { expect, test } from "vitest";
import { comparePaths, decodePath, encodeCString, encodePath } from "../../../native/pathname.ts";

test("decodePath() and encodePath() give back any bytes", () => {
  const byte = fc.integer({ min: 1, max: 255 });
  const bytes = fc.oneof(
    fc.array(byte),
    fc.string({ unit: "grapheme" }).map((text) => [...Buffer.from(text)]),
  );
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 4 }), (parts) => {
      const name = Buffer.from(parts.flat());
      expect(encodePath(decodePath(name))).toEqual(name);
    }),
  );
});

test("decodePath() turns each byte outside UTF-8 into U+DC80 + byte", () => {
  expect(decodePath(Buffer.from([0x61, 0xff, 0xc3, 0xa9, 0xc3]))).toBe("a\udcff\u00e9\udcc3");
  expect(decodePath(Buffer.from([0xed, 0xa0, 0x80]))).toBe("\udced\udca0\udc80");
  expect(decodePath(Buffer.from([0xef, 0xbb, 0xbf, 0xef, 0xbf, 0xbd]))).toBe("\ufeff\ufffd");
});

test("encodePath() keeps a surrogate pair beside an escaped byte", () => {
  expect(encodePath("\udcff\u{1f600}\udc80")).toEqual(Buffer.from([0xff, 0xf0, 0x9f, 0x98, 0x80, 0x80]));
});

test("encodeCString() closes with NUL and refuses NUL and surrogates that stand for no byte", () => {
  expect(encodeCString("a/b")).toEqual(Buffer.from("a/b\0"));
  for (const bad of ["a\0b", "\ud800", "\udc7f", "a\udd00"]) expect(() => encodeCString(bad)).toThrow(RangeError);
});

test("comparePaths() orders as the bytes do", () => {
  const path = fc.array(fc.integer({ min: 1, max: 255 }), { maxLength: 6 });
  fc.assert(
    fc.property(path, path, (a, b) => {
      const [x, y] = [Buffer.from(a), Buffer.from(b)];
      expect(Math.sign(comparePaths(decodePath(x), decodePath(y)))).toBe(Buffer.compare(x, y));
    }),
  );
  expect(comparePaths("\uffff", "\u{10000}")).toBeLessThan(0);
});
