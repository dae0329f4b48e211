import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { csvFields } from "../../../builder/base/csv.ts";
import { parseDuration } from "../../../builder/base/duration.ts";
import { compilePattern } from "../../../builder/base/patterns/match.ts";
import { compileMobyPattern } from "../../../builder/base/patterns/moby-pattern.ts";
import { PathPatterns } from "../../../builder/base/patterns/path-patterns.ts";

/** The rows of a fixture that a Go program made: see fixtures/go. */
function rows<T>(name: string): readonly T[] {
  return JSON.parse(readFileSync(join(import.meta.dirname, `../../fixtures/go-${name}.json`), "utf8"));
}

type Row = readonly [string, string, string];

function said(act: () => boolean | undefined): string {
  try {
    return String(act() ?? "error");
  } catch {
    return "error";
  }
}

describe("what Go's standard library says of the same text", () => {
  it("compilePattern() says of globs", () => {
    const wrong = rows<Row>("globs").filter(([pattern, name, expected]) => {
      return said(() => compilePattern(pattern)(name)) !== expected;
    });
    expect(wrong).toEqual([]);
  });

  it("PathPatterns says of moby's regular expressions", () => {
    const wrong = rows<Row>("ignore").filter(([pattern, path, expected]) => {
      const found = said(() => {
        new PathPatterns([pattern]);
        return compileMobyPattern(pattern)?.(path);
      });
      return found !== expected;
    });
    expect(wrong).toEqual([]);
  });

  it("parseDuration() says of durations", () => {
    const wrong = rows<readonly [string, string]>("durations").filter(([text, expected]) => {
      const value = parseDuration(text);
      return value !== (expected === "error" ? undefined : Number(expected));
    });
    expect(wrong).toEqual([]);
  });

  it("csvFields() says of lines", () => {
    const wrong = rows<{ readonly Text: string; readonly Fields: readonly string[] | null }>("csv").filter(
      ({ Text, Fields }) => {
        const fields = csvFields(Text);
        return JSON.stringify(typeof fields === "string" ? null : fields) !== JSON.stringify(Fields);
      },
    );
    expect(wrong).toEqual([]);
  });
});
