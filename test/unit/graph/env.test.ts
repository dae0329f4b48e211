import { describe, expect, it } from "vitest";
import { getEnv, setEnv, setEnvs } from "../../../builder/base/env.ts";

describe("an environment", () => {
  it("finds a key by its whole name, the last entry first", () => {
    const env = ["A=1", "AB=2", "A=3", "ALONE", "C==x"];
    expect(["A", "AB", "ALONE", "C", "B", "", "AL"].map((key) => getEnv(env, key))).toEqual([
      "3",
      "2",
      "",
      "=x",
      undefined,
      undefined,
      undefined,
    ]);
  });

  it("sets many as one after another: in their places, or appended", () => {
    const env = ["A=1", "ALONE", "B=2", "A=4"];
    const pairs = [
      { key: "B", value: "x" },
      { key: "N", value: "1" },
      { key: "A", value: "y" },
      { key: "ALONE", value: "" },
      { key: "N", value: "2" },
    ];
    const one = pairs.reduce<readonly string[]>((list, { key, value }) => setEnv(list, key, value), env);
    expect(setEnvs(env, pairs)).toEqual(one);
    expect(one).toEqual(["A=y", "ALONE=", "B=x", "A=4", "N=2"]);
  });
});
