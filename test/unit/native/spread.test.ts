import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { spreadSubdirectories } from "../../../native/spread.ts";

const attributes = (directory: string): string => spawnSync("lsattr", ["-d", directory]).stdout?.toString() ?? "";

describe("spreadSubdirectories()", () => {
  it.each([tmpdir(), "/dev/shm"])(
    "marks a directory of %s, where its file system knows that, and else does nothing",
    (top) => {
      const directory = mkdtempSync(join(top, "tsbuild-spread-"));
      try {
        const before = attributes(directory);
        spreadSubdirectories(directory);
        spreadSubdirectories(directory);
        // ext4 alone shows an `e` for extents.
        if (/^\S*e\S* /.test(before)) expect(attributes(directory)).toMatch(/^\S*T/);
        else expect(attributes(directory)).toBe(before);
      } finally {
        rmSync(directory, { recursive: true });
      }
    },
  );
});
