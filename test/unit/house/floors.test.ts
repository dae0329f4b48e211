import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { between, circles, readImports } from "../../rig/import-graph.ts";

const top = join(import.meta.dirname, "..", "..", "..");
const { files, imports } = readImports(top, ["native", "store", "registry", "runtime", "builder"]);

/** The drawing in ARCHITECTURE.md: a line for each floor, the highest first, with the wings that stand on it. */
function drawnFloors(): readonly (readonly string[])[] {
  const text = readFileSync(join(top, "ARCHITECTURE.md"), "utf8");
  const [, drawing = ""] = /<!-- floors -->\n+```\n([\s\S]*?)```/.exec(text) ?? [];
  return drawing
    .split("\n")
    .map((line) => [...line.matchAll(/\b([a-z]+(?:\/[a-z]+)?)\/(?=\s|$)/g)].map(([, name = ""]) => name))
    .filter((wings) => wings.length > 0);
}

describe("the house of ARCHITECTURE.md", () => {
  const floors = drawnFloors();
  const floorOf = new Map(floors.flatMap((wings, at) => wings.map((wing) => [wing, floors.length - at] as const)));
  const wingOf = (file: string): string => {
    const [first = "", second = ""] = file.split("/");
    return floorOf.has(`${first}/${second}`) ? `${first}/${second}` : first;
  };

  it("has every file in one of its wings, and nothing loose in builder/", () => {
    const lost = files.filter((file) => !floorOf.has(wingOf(file)) && file !== "builder/index.ts");
    expect(lost).toEqual([]);
  });

  it("has no import that goes up, or to another wing of the same floor", () => {
    const upward = imports
      .filter(({ from, to }) => from !== "builder/index.ts" && to !== "builder/index.ts" && wingOf(from) !== wingOf(to))
      .filter(({ from, to }) => (floorOf.get(wingOf(to)) ?? Infinity) >= (floorOf.get(wingOf(from)) ?? 0))
      .map(({ from, to }) => `${from} -> ${to}`);
    expect(upward).toEqual([]);
  });

  it("has no circle between files", () => {
    expect(circles(imports)).toEqual([]);
  });

  it("has no circle between the rooms of a wing", () => {
    const folders = new Set(
      files.flatMap((file) => file.split("/").map((_, at, parts) => parts.slice(0, at).join("/"))),
    );
    const knots = [...folders]
      .filter((folder) => folder !== "")
      .flatMap((folder) => circles(between(folder, imports)).map((knot) => `${folder}: ${knot.join(", ")}`));
    expect(knots).toEqual([]);
  });
});
