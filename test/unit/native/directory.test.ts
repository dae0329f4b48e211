import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeDirectories } from "../../../native/directory.ts";
import { makeTemp } from "../../rig/temp.ts";

describe("makeDirectories()", () => {
  it("makes what is missing, and leaves what is there", () => {
    using temp = makeTemp();
    mkdirSync(join(temp.path, "a"), { mode: 0o750 });
    makeDirectories(join(temp.path, "a/b/c"), 0o700);
    makeDirectories(join(temp.path, "a/b/c"), 0o777);
    expect(["a", "a/b", "a/b/c"].map((path) => statSync(join(temp.path, path)).mode & 0o777)).toEqual([
      0o750, 0o700, 0o700,
    ]);
  });

  it("refuses what cannot be one, and returns where nothing can be made", () => {
    using temp = makeTemp();
    writeFileSync(join(temp.path, "file"), "");
    expect(() => makeDirectories(join(temp.path, "file"), 0o700)).toThrow(/EEXIST/);
    expect(() => makeDirectories(join(temp.path, "file/x"), 0o700)).toThrow(/ENOTDIR/);
    expect(() => makeDirectories("/proc/nosuch/x", 0o700)).toThrow(/ENOENT/);
  });
});
