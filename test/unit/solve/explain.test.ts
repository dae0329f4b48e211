import { describe, expect, it } from "vitest";
import { foldMisses } from "../../../builder/solve/record/roots.ts";
import { causeText } from "../../../builder/graph/causes.ts";
import { explainChange } from "../../../builder/solve/explain.ts";

const copy = {
  text: "COPY . .",
  inputs: { base: "k1", sources: "/", "file a": "644 aaa", "file d": "d755 ", "file d/b": "644 bbb" },
};

function explained(inputs: Readonly<Record<string, string>>, text: string = copy.text): readonly string[] {
  return explainChange(copy, { text, inputs: { ...copy.inputs, ...inputs } }, (name) => name === "base").map(causeText);
}

function without(...names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(copy.inputs).filter(([name]) => !names.includes(name)));
}

describe("explainChange()", () => {
  it.each([
    [{ base: "k2" }, []],
    [{ "file a": "644 xxx" }, ["a changed"]],
    [{ "file a": "755 aaa" }, ["mode of a 644 -> 755"]],
    [{ "file c": "644 ccc" }, ["c is new"]],
    [{ "file e": "d755 ", "file e/f": "644 f" }, ["e/f is new"]],
    [{ "file e": "d755 " }, ["e is new"]],
    [{ "file d": "d700 " }, ["mode of d 755 -> 700"]],
    [{ "--chown": "1:1" }, ["--chown added: 1:1"]],
    [{ "ARG V": "2" }, ["ARG V added: 2"]],
    [{ "ignore file": ".dockerignore x" }, []],
  ])("finds in %o: %o", (inputs, causes) => {
    expect(explained(inputs)).toEqual(causes);
  });

  it("tells a renamed file from one that went and one that came", () => {
    const inputs = { ...without("file a"), "file z": "600 aaa" };
    expect(explainChange(copy, { text: copy.text, inputs }, () => false).map(causeText)).toEqual(["a is now z"]);
  });

  it("names the ignore file only when files came or went", () => {
    const inputs = { ...without("file a"), "ignore file": ".dockerignore x" };
    const causes = explainChange(copy, { text: copy.text, inputs }, () => false).map(causeText);
    expect(causes).toEqual([".dockerignore changed", "a is gone"]);
  });

  it("says of another text nothing but the text", () => {
    expect(explained({ sources: "/d", "file a": "644 zzz" }, "COPY d .")).toEqual([
      "text changed: COPY . . -> COPY d .",
    ]);
  });

  it("counts what it does not list", () => {
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`file n${at}`, `644 ${at}`]));
    expect(explained(many).at(-1)).toBe("and 22 more");
  });
});

describe("causeText()", () => {
  const long = "RUN apt-get update && apt-get install -y --no-install-recommends curl";
  const text = (before: string, now: string): string => causeText({ kind: "text", before, now });

  it("shows long texts where they differ", () => {
    expect(text("a", "b")).toBe("text changed: a -> b");
    expect(text(`${long} git`, `${long} make`)).toBe(
      "text changed: ...all-recommends curl git -> ...all-recommends curl make",
    );
    expect(text(long, `${long} git`)).toMatch(/curl -> \.\.\..*curl git$/);
    expect(text("a  b", "a b")).toBe("text changed: white space in a b");
  });

  it("says what an image has to do with a step that had none, or has none now", () => {
    expect(causeText({ kind: "image", name: "x", before: "", now: "x:1@sha256:0" })).toBe(
      "it is from the image x:1 now",
    );
    expect(causeText({ kind: "image", name: "", before: "x:1@sha256:0", now: "" })).toBe(
      "it is no longer from the image x:1",
    );
  });
});

describe("foldMisses()", () => {
  const earlier = (slot: string) => ({ kind: "earlier", slot, step: slot, line: 1 }) as const;
  const file = { kind: "file", change: "changed", path: "a" } as const;

  it("folds a long chain under its first step and keeps a step with its own cause", () => {
    const chain = Array.from({ length: 60 }, (_, at) => ({
      slot: `s/${at}`,
      causes:
        at === 0
          ? [file]
          : at === 30
            ? [earlier(`s/${at - 1}`), { kind: "no-cache" } as const]
            : [earlier(`s/${at - 1}`)],
    }));
    const folded = foldMisses(chain).map(({ root, followers }) => [root.slot, followers.length]);
    expect(folded).toEqual([
      ["s/0", 29],
      ["s/30", 29],
    ]);
  });

  it("folds a copy of files that an earlier step of another stage made", () => {
    const made = { ...file, path: "/out/app" } as const;
    const steps = [
      { slot: "b/1", causes: [file] },
      { slot: "f/1", causes: [made, earlier("b/1")] },
    ];
    expect(foldMisses(steps)).toHaveLength(1);
  });
});
