import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compileMode, parseFileMode } from "../../../builder/base/patterns/file-mode.ts";

/** The columns of the fixture, whose rows come from the parser that BuildKit uses. */
const columns: readonly (readonly [mode: number, isDirectory: boolean])[] = [
  [0o644, false],
  [0o755, false],
  [0o600, true],
  [0o755, true],
  [0o7777, false],
  [0o4710, false],
  [0o1777, true],
  [0, false],
];
const rows = readFileSync(join(import.meta.dirname, "../../fixtures/chmod-modes.txt"), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => /^(.*?) ((?:error|[0-7]+)(?: [0-7]+)*)$/.exec(line)?.slice(1) ?? []);

describe("parseFileMode()", () => {
  it.each(rows)("reads %s as BuildKit's parser does: %s", (text = "", expected = "") => {
    if (expected === "error") {
      expect(() => parseFileMode(text)).toThrow(expect.objectContaining({ code: "E_CHMOD_INVALID" }));
      return;
    }
    const change = compileMode(parseFileMode(text));
    const made = columns.map(([mode, isDirectory]) => change(mode, isDirectory).toString(8));
    expect(made.join(" ")).toBe(expected);
  });

  it.each([
    ["0", 0],
    ["0755", 0o755],
    ["4755", 0o4755],
    ["00007777", 0o7777],
  ])("takes octal %s as the mode of everything", (text, mode) => {
    expect(parseFileMode(text)).toBe(mode);
    expect(compileMode(mode)(0o123, true)).toBe(mode);
  });
});
