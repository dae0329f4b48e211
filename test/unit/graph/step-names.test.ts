import { describe, expect, it } from "vitest";
import { reachable } from "../../../builder/graph/vertex.ts";
import { planText } from "../../rig/plan.ts";

/** What BuildKit 0.34's frontend calls them. */
describe("names of steps", () => {
  it.each<[string, string, readonly string[]]>([
    ["one stage", "FROM scratch AS apt\nCOPY a /", ["[1/1] COPY a /"]],
    [
      "one stage with any mount",
      "FROM scratch AS apt\nCOPY a /\nRUN --mount=type=cache,target=/x b",
      ["[apt 1/2] COPY a /", "[apt 2/2] RUN --mount=type=cache,target=/x b"],
    ],
    [
      "one stage without a name, with a mount",
      "FROM scratch\nCOPY a /\nRUN --mount=type=tmpfs,target=/x b",
      ["[stage-0 1/2] COPY a /", "[stage-0 2/2] RUN --mount=type=tmpfs,target=/x b"],
    ],
    [
      "one stage with another source",
      "FROM scratch AS b\nCOPY --from=busybox:1 a /",
      ["[b 1/1] COPY --from=busybox:1 a /"],
    ],
    ["a mount of a trigger", "FROM scratch\nCOPY a /\nONBUILD RUN --mount=type=tmpfs,target=/x b", ["[1/1] COPY a /"]],
    ["two stages", "FROM scratch AS apt\nCOPY a /\nFROM apt\nRUN c", ["[apt 1/1] COPY a /", "[stage-1 1/1] RUN c"]],
  ])("of %s", async (_, text, names) => {
    const { target } = await planText({ text });
    const found = reachable(target).map(({ name }) => name);
    expect(found.filter((name) => /^\[(?!internal).*\] (?!FROM)/.test(name))).toEqual(names);
  });

  it("have numbers of one width", async () => {
    const { target } = await planText({ text: `FROM busybox:1\n${"COPY a /\n".repeat(11)}` });
    const found = reachable(target).map(({ name }) => name.replace(/@.*$/, ""));
    expect(found).toContain("[ 1/12] FROM docker.io/library/busybox:1");
    expect(found).toContain("[12/12] COPY a /");
  });

  it("say that a step stacks the layer of another", async () => {
    const { target } = await planText({ text: "FROM busybox:1\nCOPY --link a /" });
    expect(target.name).toBe("[2/2] LINK COPY --link a /");
  });

  it("hide users of URLs, of variables too", async () => {
    const text = "FROM busybox:1\nARG T=tok\nRUN git clone https://$T@host/x";
    expect((await planText({ text })).target.name).toBe("[2/2] RUN git clone https://xxxxx@host/x");
  });

  it("are as written where variables would make them endless", async () => {
    const text = `FROM busybox:1\nARG A=${"x".repeat(10_000)}\nRUN echo $A$A`;
    expect((await planText({ text })).target.name).toBe("[2/2] RUN echo $A$A");
  });
});
