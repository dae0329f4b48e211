import { describe, expect, it } from "vitest";
import { parseToml, TomlError } from "../../../registry/hosts/toml.ts";

/** As JSON sees it: tables have no prototype. */
function read(text: string): unknown {
  return JSON.parse(JSON.stringify(parseToml(text)));
}

describe("parseToml()", () => {
  it("reads tables, lists of tables, dotted and quoted keys", () => {
    const text = `a.b = 1 # comment\n"c.d" = 'x'\n\n[t]\n'k' = true\n[t.u]\n[[list]]\nn = 1\n[list.inner]\nx = 2\n[[list]]\r\nn = -2\n`;
    expect(read(text)).toEqual({
      a: { b: 1 },
      "c.d": "x",
      t: { k: true, u: {} },
      list: [{ n: 1, inner: { x: 2 } }, { n: -2 }],
    });
  });

  it("reads texts with escapes, of several lines and as they are", () => {
    expect(
      read(
        String.raw`a = "\u00e9\n\"\\" ` + "\nb = 'C:\\dir'\nc = \"\"\"\none\ntwo\\\n   three\"\"\"\nd = '''\nx'y'''",
      ),
    ).toEqual({
      a: 'é\n"\\',
      b: "C:\\dir",
      c: "one\ntwothree",
      d: "x'y",
    });
  });

  it("reads lists over lines with comments, and tables in braces", () => {
    expect(read('l = [\n  "a", # first\n  [1, 2.5e1],\n]\nt = { x = 1, y.z = "s" }\ne = {}\n')).toEqual({
      l: ["a", [1, 25]],
      t: { x: 1, y: { z: "s" } },
      e: {},
    });
  });

  it("does not take a key for a prototype", () => {
    expect(Object.keys(parseToml("__proto__ = 1\n"))).toEqual(["__proto__"]);
  });

  it.each([
    ["a key twice", "a = 1\na = 2\n", 2],
    ["a table twice", "[a]\n[b]\n[a]\n", 3],
    ["a table over a value", "a = 1\n[a.b]\n", 2],
    ["more of a table in braces", "a = {}\n[a.b]\n", 2],
    ["a list of tables over a list", "a = [1]\n[[a]]\n", 2],
    ["two things in a line", "a = 1 b = 2\n", 1],
    ["a text without an end", 'a = "x\n', 1],
    ["a list without an end", "a = [1,\n2\n", 3],
    ["a date", "a = 2020-01-01\n", 1],
    ["an escape that is none", String.raw`a = "\q"`, 1],
    ["half a character", String.raw`a = "\ud800"`, 1],
    ["a control character", 'ok = 1\na = "\u0000"\n', 2],
    ["a key without a value", "a\n", 1],
    ["a number with a leading zero", "a = 01\n", 1],
    ["values nested without end", `a = ${"[".repeat(100)}`, 1],
  ])("refuses %s with its line", (_, text, line) => {
    expect(() => parseToml(text)).toThrow(expect.objectContaining({ name: "TomlError", line }));
    expect(() => parseToml(text)).toThrow(TomlError);
  });
});
