import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseIgnore } from "../../../builder/base/patterns/ignore.ts";

const rows = readFileSync(join(import.meta.dirname, "../../fixtures/ignore-files.txt"), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("; "))
  .map((line) => line.split("\t"));
const lines = (text: string): string => text.replaceAll("|", "\n");

describe("parseIgnore()", () => {
  it("hides what moby hides, on every row of the fixture", () => {
    const wrong = rows.filter(([text = "", path = "", expected]) => {
      return String(parseIgnore(lines(text), "ignore")?.excludes(path) ?? false) !== expected;
    });
    expect(rows.length).toBe(500);
    expect(wrong).toEqual([]);
  });

  it("never prunes a directory below which something is shown", () => {
    const wrong = rows.filter(([text = "", path = "", expected]) => {
      const names = path.split("/");
      const parents = names.slice(1).map((_, at) => names.slice(0, at + 1).join("/"));
      const ignore = parseIgnore(lines(text), "ignore");
      return parents.some(
        (parent) => ignore?.excludes(parent) === true && ignore.canPrune(parent) && expected !== "true",
      );
    });
    expect(wrong).toEqual([]);
  });

  it.each([
    ["app/(group)", "app/(group)/page.tsx", true],
    ["(a)", "a", false],
    ["node_modules|!**/*.md", "node_modules/a/README.md", false],
    ["\ufeff*.txt|# c|!b.txt\r", "b.txt", false],
  ])("%j of %s: %s", (text, path, hidden) => {
    expect(parseIgnore(lines(text), "ignore")?.excludes(path)).toBe(hidden);
  });

  it.each(["a|b[", "*|!", "x|\\"])("refuses %j with its line", (text) => {
    expect(() => parseIgnore(lines(text), ".dockerignore")).toThrow(
      expect.objectContaining({ code: "E_PATTERN_INVALID", notes: [".dockerignore line 2"] }),
    );
  });

  it.each([
    ["node_modules|!keep", "node_modules", true],
    ["node_modules|!node_modules/x", "node_modules", false],
    ["node_modules|!**/*.md", "node_modules", false],
    ["*|!a/*/c", "b", true],
    ["*|!a/*/c", "a", false],
  ])("%j lets %s be left out without a look: %s", (text, directory, prunes) => {
    expect(parseIgnore(lines(text), "ignore")?.canPrune(directory)).toBe(prunes);
  });

  it("names the last line that hides a path", () => {
    const ignore = parseIgnore("# first\n*.log\n!keep.log\nlogs\n", ".dockerignore");
    expect(ignore?.whichLine("logs/a.log")).toBe(".dockerignore line 4: logs");
    expect(ignore?.whichLine("b.log")).toBe(".dockerignore line 2: *.log");
    expect(ignore?.whichLine("b.txt")).toBeUndefined();
  });
});
