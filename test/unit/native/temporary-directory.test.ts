import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { makeTemporaryDirectory } from "../../../native/temporary-directory.ts";
import { makeTemp } from "../../rig/temp.ts";

afterEach(() => vi.unstubAllEnvs());

describe("makeTemporaryDirectory()", () => {
  it("removes what killed processes left, and nothing that is in use or not its own", () => {
    using temp = makeTemp();
    vi.stubEnv("TMPDIR", temp.path);
    for (const name of ["some-abc123/inner", "some-toolong", "other-abc123"])
      mkdirSync(join(temp.path, name), { recursive: true });
    writeFileSync(join(temp.path, "some-abcdef"), "a file");
    symlinkSync("other-abc123", join(temp.path, "some-ABCDEF"));
    const stays = ["other-abc123", "some-ABCDEF", "some-abcdef", "some-toolong"];
    {
      using one = makeTemporaryDirectory("some");
      using two = makeTemporaryDirectory("some");
      writeFileSync(join(one.path, "file"), "");
      expect(readdirSync(one.path)).toEqual(["file"]);
      expect(readdirSync(two.path)).toEqual([]);
      expect(readdirSync(temp.path)).toHaveLength(stays.length + 2);
    }
    expect(readdirSync(temp.path).toSorted()).toEqual(stays);
  });
});
