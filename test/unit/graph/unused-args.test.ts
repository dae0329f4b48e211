import { describe, expect, it } from "vitest";
import { planText } from "../../rig/plan.ts";

/** As many arguments as there are names, each with a value. */
const given = (...names: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(names.map((name) => [name, "1"]));

describe("--build-arg that nothing takes", () => {
  it.each<[string, string, readonly string[], readonly string[]]>([
    ["without any ARG", "FROM busybox:1", ["A", "B"], ["A", "B"]],
    ["in another case", "FROM busybox:1\nARG A", ["a"], ["a"]],
    ["as a variable alone", "FROM busybox:1\nRUN echo $A\nENV B=$A", ["A"], ["A"]],
    ["of an ENV", "FROM busybox:1\nENV A=1", ["A"], ["A"]],
    ["by an ARG", "FROM busybox:1\nARG A=2 B", ["A", "B"], []],
    ["by an ARG before FROM", "ARG A\nFROM busybox:1", ["A"], []],
    ["by an ARG of the base", "FROM busybox:1 AS a\nARG A\nFROM a", ["A"], []],
    [
      "by an ARG of a stage that is copied from",
      "FROM busybox:1 AS a\nARG A\nFROM busybox:1\nCOPY --from=a x y",
      ["A"],
      [],
    ],
    ["by an ARG of a stage that is not needed", "FROM busybox:1 AS a\nARG A\nFROM busybox:1", ["A"], ["A"]],
    ["by ONBUILD ARG that is used", "FROM busybox:1 AS a\nONBUILD ARG A\nFROM a", ["A"], []],
    ["by ONBUILD ARG that is not", "FROM busybox:1\nONBUILD ARG A", ["A"], ["A"]],
    ["by what is given anyway", "FROM busybox:1", ["HTTP_PROXY", "no_proxy", "TARGETARCH", "BUILDPLATFORM"], []],
    ["by the builder itself", "FROM busybox:1", ["BUILDKIT_INLINE_CACHE", "BUILDKIT_MULTI_PLATFORM"], []],
    [
      "by something that looks like it",
      "FROM busybox:1",
      ["BUILDKIT_NOPE", "HTTP_PROXYS"],
      ["BUILDKIT_NOPE", "HTTP_PROXYS"],
    ],
  ])("%s", async (_name, text, names, unused) => {
    const plan = await planText({ text, args: given(...names) });
    expect(plan.unusedArgs).toEqual(unused);
  });
});
