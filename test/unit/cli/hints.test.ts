import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { usualHint } from "../../../builder/cli/errors/usual-hints.ts";

/** The text of every `new SomeError(...)` of the program. */
function thrown(): readonly { readonly file: string; readonly text: string }[] {
  const files = globSync("{native,store,registry,runtime,builder}/**/*.ts");
  expect(files.length).toBeGreaterThan(300);
  return files.flatMap((file) => {
    const source = readFileSync(file, "utf8");
    return [...source.matchAll(/new \w*Error\(/g)].map(({ index, 0: { length } }) => {
      let depth = 1;
      let end = index + length;
      for (; depth > 0 && end < source.length; end++) {
        if ("([{".includes(source[end] ?? "")) depth++;
        if (")]}".includes(source[end] ?? "")) depth--;
      }
      return { file, text: source.slice(index, end) };
    });
  });
}

describe("every error", () => {
  it("has a hint, its own or that of its code", () => {
    const without = thrown().flatMap(({ file, text }) => {
      const code = /code: "(E_[A-Z_]+)"/.exec(text)?.[1];
      const own = /\bhint\b/.test(text) || text.includes("...");
      return own || code === undefined || usualHint(code) !== undefined ? [] : [`${file}: ${text}`];
    });
    expect(without).toEqual([]);
  });

  it("is in docs/errors.md", () => {
    const documented = readFileSync("docs/errors.md", "utf8");
    const codes = new Set(thrown().flatMap(({ text }) => /code: "(E_[A-Z_]+)"/.exec(text)?.[1] ?? []));
    expect(codes.size).toBeGreaterThan(80);
    expect([...codes].filter((code) => !documented.includes(`\`${code}\``))).toEqual([]);
  });
});
