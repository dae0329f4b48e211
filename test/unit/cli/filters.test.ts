import { describe, expect, it } from "vitest";
import { filterImages, matchesName } from "../../../builder/cli/flags/filters.ts";
import type { ListedImage } from "../../../store/image/list.ts";
import { digestOf } from "../../../store/oci/digest.ts";

function image(created: string, names: readonly string[], labels: Readonly<Record<string, string>> = {}): ListedImage {
  return { id: digestOf(created), manifest: digestOf(`m${created}`), names, created, size: 1, labels };
}

const old = image("2026-01-01T00:00:00Z", ["app:1"], { a: "1", b: "2" });
const middle = image("2026-02-01T00:00:00Z", ["app:2", "other:2"], { a: "1" });
const dangling = image("2026-03-01T00:00:00Z", []);
const all = [dangling, middle, old];
const find = (): ListedImage => middle;

describe("filterImages()", () => {
  it.each([
    [["dangling=true"], [dangling]],
    [["dangling=false"], [middle, old]],
    [["label=a"], [middle, old]],
    [["label=a=1", "label=b"], [old]],
    [["label=toString"], []],
    [["before=app:2"], [old]],
    [["since=app:2"], [dangling]],
    [["until=2026-02-01"], [old]],
    [["until=2026-01-15T00:00:00Z"], [old]],
    [["until=1769904000"], [old]],
    [
      ["until=1h", "label=a"],
      [middle, old],
    ],
    [["until=876000h"], []],
    [["reference=app", "label=b"], [old]],
    [[], all],
  ])("by %j", (words, expected) => {
    expect(filterImages(all, words, find)).toEqual(expected);
  });

  it("keeps of an image the names that fit the reference", () => {
    expect(filterImages(all, ["reference=oth*"], find).map(({ names }) => names)).toEqual([["other:2"]]);
  });

  it.each([["labl=x"], ["until=soon"], ["dangling=perhaps"], ["dangling"], ["reference=[z-a]"]])(
    "refuses %s",
    (word) => {
      expect(() => filterImages(all, [word], find)).toThrow(/filter|Filter|pattern/);
    },
  );
});

describe("matchesName()", () => {
  it.each([
    ["app:1", "app", true],
    ["app:1", "app:*", true],
    ["app:1", "a?p", true],
    ["app:1", "*", true],
    ["team/app:1", "*", false],
    ["team/app:1", "*/*", true],
    ["team/app:1", "team/app:1", true],
    ["localhost:5000/app:1", "localhost:5000/app", true],
    ["app:1", "app:2", false],
    ["a.p:1", "a.p", true],
    ["axp:1", "a.p", false],
  ])("%s by %s: %s", (name, pattern, matches) => {
    expect(matchesName(name, pattern)).toBe(matches);
  });
});
