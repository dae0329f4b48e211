import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PathPatterns, type ParentMatches } from "../../../builder/base/patterns/path-patterns.ts";

const rows = readFileSync(join(import.meta.dirname, "../../fixtures/path-patterns.txt"), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => line.split("\t"));

/** As a walk asks: each directory from the top, with what its parent matched. */
function walkTo(patterns: PathPatterns, path: string): boolean {
  let state: ParentMatches | undefined;
  let matched = false;
  const names = path.split("/");
  for (const at of names.keys()) {
    ({ matched, below: state } = patterns.match(names.slice(0, at + 1).join("/"), state));
  }
  return matched;
}

describe("PathPatterns", () => {
  it("agrees with moby's patternmatcher on every row of the fixture", () => {
    const wrong = rows.filter(([text = "", path = "", expected]) => {
      try {
        return String(walkTo(new PathPatterns(text.split("|")), path)) !== expected;
      } catch {
        return expected !== "error";
      }
    });
    expect(rows.length).toBeGreaterThan(500);
    expect(wrong).toEqual([]);
  });

  it("never prunes a directory with a match below it", () => {
    const wrong = rows.filter(([text = "", path = "", expected]) => {
      if (expected !== "true" || text.includes("!") || text.includes("|")) return false;
      const patterns = new PathPatterns([text]);
      const names = path.split("/");
      const parents = names.slice(1).map((_, at) => names.slice(0, at + 1).join("/"));
      return parents.some((parent) => !walkTo(patterns, parent) && !patterns.mayMatchBelow(parent));
    });
    expect(wrong).toEqual([]);
  });

  it.each([
    ["packages/*/package.json", "node_modules", false],
    ["packages/*/package.json", "packages", true],
    ["packages/*/package.json", "packages/a", true],
    ["packages/*/package.json", "packages/a/src", false],
    ["**/package.json", "node_modules", true],
    ["a/**", "a", true],
    ["a/b", "a/b", false],
    ["a[^b]c", "a", true],
  ])("%s may match below %s: %s", (pattern, directory, expected) => {
    expect(new PathPatterns([pattern]).mayMatchBelow(directory)).toBe(expected);
  });

  it("needs no more than moments for patterns made to be slow", () => {
    const started = performance.now();
    for (const part of ["*a", "**/a", "a*", "*?", "**/", "?*"]) {
      new PathPatterns([`${part.repeat(200)}b`]).match("a/".repeat(200) + "a".repeat(2000), undefined);
    }
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
