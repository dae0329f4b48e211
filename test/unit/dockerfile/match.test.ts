import { describe, expect, it } from "vitest";
import { compilePattern } from "../../../builder/base/patterns/match.ts";

describe("compilePattern()", () => {
  // Answers of Go's filepath.Match.
  it.each([
    ["*", "a", true],
    ["*", "a/b", false],
    ["*", "", true],
    ["a?c", "abc", true],
    ["a?c", "a/c", false],
    ["a[b-d]e", "ace", true],
    ["a[^b-d]e", "ace", false],
    ["a[^b]c", "a/c", true],
    ["[/a]", "/", true],
    ["*[^a]b", "x/b", true],
    ["a\\*b", "a*b", true],
    ["a\\*b", "axb", false],
    ["[\\]a]", "]", true],
    ["[\\-]", "-", true],
    ["*.*", "a.b", true],
    ["a*b*c", "a1b2c", true],
    ["a*/b", "a1/b", true],
    ["?", "é", true],
    ["**", "ab", true],
  ])("%s and %s: %s", (pattern, name, matches) => {
    expect(compilePattern(pattern)(name)).toBe(matches);
  });

  it.each(["[", "[a", "[]", "[a-]", "[-a]", "[]a]", "a\\", "[^]", "[\\"])("refuses %s", (pattern) => {
    expect(() => compilePattern(pattern)).toThrow(expect.objectContaining({ code: "E_PATTERN_INVALID" }));
  });

  it("takes no more than moments for patterns made to be slow", () => {
    const started = performance.now();
    expect(compilePattern("*a".repeat(500) + "b")("a".repeat(5000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
