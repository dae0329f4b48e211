import { describe, expect, it } from "vitest";
import { isReached, nearnessOf, nearnessOfHost, reachFrom } from "../../../registry/http/address.ts";

describe("nearnessOfHost()", () => {
  it.each([
    ["localhost", "loopback"],
    ["LOCALHOST.", "loopback"],
    ["x.localhost", "loopback"],
    ["localhost.example", "far"],
    ["r.example", "far"],
    ["127.0.0.1", "loopback"],
    ["127.255.255.254", "loopback"],
    ["128.0.0.1", "far"],
    ["0.0.0.0", "loopback"],
    ["10.0.0.1", "far"],
    ["169.254.169.254", "link"],
    ["100.100.100.200", "link"],
    ["100.100.100.201", "far"],
    ["168.63.129.16", "link"],
    ["192.0.0.192", "link"],
    ["[::]", "loopback"],
    ["[::1]", "loopback"],
    ["[::2]", "loopback"],
    ["[fe80::1]", "link"],
    ["[febf::1]", "link"],
    ["[fec0::1]", "far"],
    ["[fd00:ec2::254]", "link"],
    ["[fd00:ec2::253]", "far"],
    ["[fd20:ce::254]", "link"],
    ["[2001:db8::1]", "far"],
    // An IPv4 address in another dress.
    ["[::ffff:7f00:1]", "loopback"],
    ["[::ffff:a9fe:a9fe]", "link"],
    ["[::ffff:808:808]", "far"],
    ["[::7f00:1]", "loopback"],
    ["[::ffff:0:7f00:1]", "loopback"],
    ["[64:ff9b::7f00:1]", "loopback"],
    ["[64:ff9b::a9fe:a9fe]", "link"],
    ["[64:ff9b::6464:64c8]", "link"],
    ["[64:ff9b::808:808]", "far"],
    ["[64:ff9b:1::7f00:1]", "loopback"],
    ["[2002:7f00:1::]", "loopback"],
    ["[2002:a9fe:a9fe::1]", "link"],
    ["[2002:808:808::1]", "far"],
  ])("of %s is %s", (host, expected) => expect(nearnessOfHost(host)).toBe(expected));

  it("takes the forms that URLs have", () => {
    for (const url of ["http://0x7f.1/", "http://2130706433/", "http://017700000001/", "http://127.1/"])
      expect(nearnessOfHost(new URL(url).hostname)).toBe("loopback");
  });
});

describe("nearnessOf()", () => {
  it("leaves out the interface of an address", () => expect(nearnessOf("fe80::1%eth0")).toBe("link"));
});

describe("isReached()", () => {
  it("lets the network lead to the network alone, and this machine back to itself", () => {
    expect(isReached("link", "anywhere")).toBe(true);
    expect([isReached("far", reachFrom("far")), isReached("loopback", reachFrom("far"))]).toEqual([true, false]);
    expect([isReached("loopback", reachFrom("loopback")), isReached("link", reachFrom("loopback"))]).toEqual([
      true,
      false,
    ]);
    expect([isReached("link", reachFrom("link")), isReached("loopback", reachFrom("link"))]).toEqual([false, false]);
  });
});
