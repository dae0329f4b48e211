import { describe, expect, it } from "vitest";
import { resolveOwner, resolveUser } from "../../../builder/ops/container/user.ts";

const files = {
  passwd: [
    "root:x:0:0:root:/root:/bin/sh",
    "app:x:1000:1001::/home/app:/bin/sh",
    "homeless:x:1002:1002:::",
    // Lines that an attacker has put there for numbers that are no users.
    "4294967296:x:0:0::/evil:/bin/sh",
    "2147483648:x:0:0::/evil:/bin/sh",
    "-1:x:0:0::/evil:/bin/sh",
    "0x0:x:1234:1234::/hex:/bin/sh",
    "1e3:x:1235:1235::/exp:/bin/sh",
    "+0:x:1236:1236::/plus:/bin/sh",
    "٣:x:1237:1237::/three:/bin/sh",
    "large:x:4294967296:0::/:/bin/sh",
    "below:x:-5:0::/:/bin/sh",
    "# comment:x:1:1::/:",
    "short",
  ].join("\n"),
  group: "root:x:0:\napp:x:1001:\nextra:x:2000:other,app\nboth:x:1001:app\n4294967296:x:0:\nlarge:x:4294967296:app",
};
const empty = { passwd: "", group: "" };

describe("resolveUser()", () => {
  const known: readonly (readonly [text: string, uid: number, gid: number, groups: readonly number[], home: string])[] =
    [
      ["", 0, 0, [0], "/root"],
      ["root", 0, 0, [0], "/root"],
      ["0", 0, 0, [0], "/root"],
      ["000", 0, 0, [0], "/root"],
      ["app", 1000, 1001, [1001, 2000], "/home/app"],
      ["1000", 1000, 1001, [1001, 2000], "/home/app"],
      ["app:", 1000, 1001, [1001, 2000], "/home/app"],
      ["app:extra", 1000, 2000, [2000], "/home/app"],
      ["app:7", 1000, 7, [7], "/home/app"],
      ["7", 7, 0, [0], "/"],
      ["7:8", 7, 8, [8], "/"],
      [":extra", 0, 2000, [2000], "/root"],
      [":", 0, 0, [0], "/root"],
      ["homeless", 1002, 1002, [1002], "/"],
      ["2147483647:2147483647", 2147483647, 2147483647, [2147483647], "/"],
      // Names, as no digits are all that they are.
      ["0x0", 1234, 1234, [1234], "/hex"],
      ["1e3", 1235, 1235, [1235], "/exp"],
      ["٣", 1237, 1237, [1237], "/three"],
    ];
  it.each(known)("%s", (text, uid, gid, additionalGids, home) => {
    expect(resolveUser(text, files)).toEqual({ uid, gid, additionalGids, home });
  });

  const refused: readonly (readonly [text: string, code: string])[] = [
    ["2147483648", "E_USER_INVALID"],
    ["4294967295", "E_USER_INVALID"],
    ["4294967296", "E_USER_INVALID"],
    ["4294967296:0", "E_USER_INVALID"],
    ["18446744073709551616", "E_USER_INVALID"],
    ["9".repeat(400), "E_USER_INVALID"],
    ["-1", "E_USER_INVALID"],
    ["+0", "E_USER_INVALID"],
    ["-0:0", "E_USER_INVALID"],
    ["0:-1", "E_USER_INVALID"],
    ["0:4294967296", "E_USER_INVALID"],
    ["app:2147483648", "E_USER_INVALID"],
    ["large", "E_USER_NOT_FOUND"],
    ["below", "E_USER_NOT_FOUND"],
    ["short", "E_USER_NOT_FOUND"],
    ["# comment", "E_USER_NOT_FOUND"],
    ["nobody", "E_USER_NOT_FOUND"],
    ["app:nogroup", "E_GROUP_NOT_FOUND"],
    ["app:large", "E_GROUP_NOT_FOUND"],
    ["1:2:3", "E_GROUP_NOT_FOUND"],
    ["app\0", "E_USER_NOT_FOUND"],
    [" app", "E_USER_NOT_FOUND"],
  ];
  it.each(refused)("refuses %s", (text, code) => {
    expect(() => resolveUser(text, files)).toThrow(expect.objectContaining({ code }));
  });

  it("knows root and numbers without any file", () => {
    expect(resolveUser("root:root", empty)).toEqual({ uid: 0, gid: 0, additionalGids: [0], home: "/" });
    expect(resolveUser("5", empty)).toEqual({ uid: 5, gid: 0, additionalGids: [0], home: "/" });
  });
});

describe("resolveOwner()", () => {
  const known: readonly (readonly [text: string, uid: number, gid: number])[] = [
    ["root", 0, 0],
    ["app", 1000, 1001],
    ["app:", 1000, 0],
    ["app:extra", 1000, 2000],
    ["app:root", 1000, 0],
    ["5", 5, 5],
    ["1000", 1000, 1000],
    ["05:06", 5, 6],
    ["5:", 5, 0],
    [":extra", 0, 2000],
    ["2147483648:5", 2147483648, 5],
    ["4294967294", 4294967294, 4294967294],
  ];
  it.each(known)("%s", (text, uid, gid) => {
    expect(resolveOwner(text, files)).toEqual({ uid, gid });
  });

  it.each(["nobody", "4294967295", "5:nogroup", "5:-1"])("refuses %s", (text) => {
    expect(() => resolveOwner(text, files)).toThrow(/Cannot find (?:user|group)/);
  });

  it("takes root for who is not there, where that is asked for", () => {
    expect(resolveOwner("nobody", files, "root")).toEqual({ uid: 0, gid: 0 });
    expect(resolveOwner("app:nogroup", files, "root")).toEqual({ uid: 1000, gid: 1001 });
  });
});
