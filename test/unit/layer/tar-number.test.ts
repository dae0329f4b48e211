import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readNumber } from "../../../store/layer/tar/number.ts";

/** As Go's archive/tar: NULs and spaces at both ends say nothing, and what follows a NUL neither. */
function plainly(field: string): number | undefined {
  const [digits = ""] = field.replace(/^[\0 ]+/, "").split("\0");
  const text = digits.trimEnd();
  return /^[0-7]*$/.test(text) ? Number.parseInt(`0${text}`, 8) : undefined;
}

describe("readNumber()", () => {
  it("reads octal fields as Go does, whatever they are padded with", () => {
    const field = fc.array(fc.constantFrom(..."0123467", " ", "\0", "8", "x"), { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(field, (characters) => {
        const block = Buffer.from(`77${characters.join("")}77`, "latin1");
        const expected = plainly(characters.join(""));
        if (expected === undefined) expect(() => readNumber(block, [2, 12])).toThrow("octal");
        else expect(readNumber(block, [2, 12])).toBe(expected);
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    ["0012345\0", 0o12345],
    ["012345\0 ", 0o12345],
    ["012345 \0", 0o12345],
    ["12345678", undefined],
    ["01234567", 0o1234567],
    ["\0\0\0\0\0\0\0\0", 0],
    ["01 34567", undefined],
    ["01\0" + "89abc", 1],
  ])("reads %j", (text, value) => {
    const read = (): number => readNumber(Buffer.from(text, "latin1"), [0, 8]);
    if (value === undefined) expect(read).toThrow("octal");
    else expect(read()).toBe(value);
  });
});
