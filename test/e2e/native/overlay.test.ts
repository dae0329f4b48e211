import { closeSync, constants, mkdirSync, readFileSync, readdirSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openOverlay, overlayByMount } from "../../../native/mount.ts";
import { makeTemp } from "../../rig/temp.ts";

describe.each([
  ["openOverlay", openOverlay],
  ["overlayByMount", overlayByMount],
])("%s()", (_, open) => {
  it("merges layers topmost first, takes writes into the upper one, and is gone when disposed", () => {
    using temp = makeTemp();
    const make = (name: string): string => {
      mkdirSync(join(temp.path, name));
      return join(temp.path, name);
    };
    const lower = ["top:,", "middle", "bottom"].map(make);
    for (const directory of lower) writeFileSync(join(directory, "same"), directory);
    const [upper, work] = ["upper", "work"].map(make);
    if (upper === undefined || work === undefined) throw new Error("no directory");
    {
      using root = open({ lower, upper, work });
      expect(root.names()).toEqual(["same"]);
      const fd = root.open("/same", constants.O_RDWR);
      expect(readFileSync(fd, "utf8")).toBe(lower[0]);
      writeSync(fd, "+");
      closeSync(fd);
    }
    expect(readFileSync(join(upper, "same"), "utf8")).toBe(`${lower[0]}+`);
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(temp.path);
    // The same directories may be used at once again.
    using again = open({ lower, upper, work }, { volatile: true });
    expect(again.names()).toEqual(["same"]);
  });

  it("takes no more layers than overlayfs does", () => {
    using temp = makeTemp();
    const lower = Array.from({ length: 501 }, () => temp.path);
    expect(() => open({ lower })).toThrow(expect.objectContaining({ code: "E_OVERLAY_DEPTH" }));
    expect(readdirSync(temp.path)).toEqual([]);
  });
});
