import { describe, expect, it } from "vitest";
import { hostUser } from "../../../builder/cli/host/host-user.ts";
import { idMap, parseSubordinates } from "../../../builder/cli/host/user-namespace.ts";
import { parseIdMap } from "../../../native/user-namespace.ts";

describe("parseSubordinates()", () => {
  it("takes the rows of the user, by name or by number, and leaves out what is none", () => {
    const text = "other:1:2\nplain:100000:65536\n\n1001:300000:10\nplain:x:5\nplain:7\nplain:5:-1\n";
    expect(parseSubordinates(text, "plain", 1001)).toEqual([
      { start: 100000, count: 65536 },
      { start: 300000, count: 10 },
    ]);
    expect(parseSubordinates(text, "nobody", 5)).toEqual([]);
  });
});

describe("idMap()", () => {
  it("makes the user root and puts the granted numbers behind one another", () => {
    expect(idMap(1001, [])).toBe("0 1001 1");
    const ranges = [
      { start: 100000, count: 65536 },
      { start: 300000, count: 10 },
    ];
    expect(idMap(1001, ranges)).toBe("0 1001 1,1 100000 65536,65537 300000 10");
  });
});

describe("parseIdMap()", () => {
  it("reads what the kernel shows", () => {
    expect(parseIdMap("         0       1001          1\n         1     100000      65536\n")).toEqual([
      { inside: 0, outside: 1001, count: 1 },
      { inside: 1, outside: 100000, count: 65536 },
    ]);
  });
});

describe("hostUser()", () => {
  it("is the process's own user unless a namespace of ours says who it was", () => {
    expect(hostUser({}, 0)).toBe(0);
    expect(hostUser({ TSBUILD_USERNS_UID: "1001" }, 0)).toBe(1001);
    expect(hostUser({ TSBUILD_USERNS_UID: "-1" }, 0)).toBe(0);
  });
});
