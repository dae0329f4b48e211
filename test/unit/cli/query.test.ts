import { expect, test } from "vitest";
import { queryValue } from "../../../builder/cli/format/query.ts";

const value = { Config: { Env: ["A=1", "B=2"], Labels: { "a.b/c": "x", 'q"': "y" }, n: null }, Size: 0 };

test.each<readonly [string, unknown]>([
  [".", value],
  ["Size", 0],
  [".Config.Env", ["A=1", "B=2"]],
  ["Config.Env[0]", "A=1"],
  ["Config.Env[-1]", "B=2"],
  ["Config.Env[2]", null],
  ["Config.Env.length", null],
  ['Config.Labels["a.b/c"]', "x"],
  ['Config.Labels."a.b/c"', "x"],
  ['Config.Labels["q\\""]', "y"],
  ["Config.n.x", null],
  ["constructor", null],
  ["Size.toFixed", null],
])("queryValue() finds %s", (path, found) => {
  expect(queryValue(value, path)).toEqual(found);
});

test.each(["", "[", "a b", "Config..Env", "Config[x]", "Config[", 'Config["a', "Config.", "*"])(
  "queryValue() refuses %j",
  (path) => {
    expect(() => queryValue(value, path)).toThrow(expect.objectContaining({ code: "E_USAGE" }));
  },
);
