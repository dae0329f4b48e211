import { describe, expect, it } from "vitest";
import { hostsFile } from "../../../runtime/network/hosts.ts";
import { openNetwork } from "../../../runtime/network/network.ts";
import { loopbackNameservers, resolvConf } from "../../../runtime/network/resolv.ts";
import { chooseSubnet, defaultRoute, parseRoutes } from "../../../runtime/network/subnet.ts";

const header = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n";
const route = (device: string, destination: string, mask: string, metric = 0): string =>
  `${device}\t${destination}\t00000000\t0001\t0\t0\t${metric}\t${mask}\t0\t0\t0\n`;

describe("chooseSubnet()", () => {
  it("takes the first addresses of a free block", () => {
    expect(chooseSubnet([], () => 1)).toMatchObject({ gateway: "10.231.0.5", address: "10.231.0.6" });
  });

  it("avoids what a route of the host leads to, but not the default route", () => {
    const routes = parseRoutes(
      header +
        route("eth0", "00000000", "00000000") +
        route("tun0", "0000E70A", "0000FFFF") +
        route("br0", "00001FAC", "0000F0FF"),
    );
    expect(chooseSubnet(routes, () => 0).address).toBe("10.137.0.2");
  });

  it("fails when nothing is free", () => {
    const routes = parseRoutes(header + route("a", "0000000A", "000000FF") + route("b", "000010AC", "0000F0FF"));
    expect(() => chooseSubnet(routes, () => 0)).toThrow("no private subnet is free");
  });
});

describe("defaultRoute()", () => {
  it("is that of the least metric", () => {
    const routes = parseRoutes(
      header + route("wlan0", "00000000", "00000000", 600) + route("eth0", "00000000", "00000000", 100),
    );
    expect(defaultRoute(routes)?.device).toBe("eth0");
  });
});

describe("openNetwork()", () => {
  const host = {
    forwarding: "1\n",
    routes: header + route("eth0", "00000000", "00000000"),
    resolvConf: "nameserver 192.0.2.1\n",
  };
  const reason = async (
    change: Partial<typeof host>,
    services: readonly string[] = [],
  ): Promise<string | undefined> => {
    using network = await openNetwork("own-or-host", { host: { ...host, ...change }, services });
    expect(network).toMatchObject({ mode: "host", join: { kind: "host" } });
    return network.fallback?.reason;
  };

  it("says why a container cannot have its own", async () => {
    expect(await reason({ forwarding: "0\n" })).toContain("net.ipv4.ip_forward");
    expect(await reason({ routes: header })).toContain("no default route");
    expect(await reason({ resolvConf: "nameserver 127.0.0.53\n" })).toContain("127.0.0.53");
    expect(await reason({}, ["http://[::1]:3128"])).toContain("[::1]:3128");
    expect(await reason({}, ["http://proxy.example:3128", "http://localhost:1/"])).toContain("localhost:1");
  });

  it("makes nothing for none and host", async () => {
    expect([(await openNetwork("none")).join, (await openNetwork("host")).join]).toEqual([
      { kind: "new" },
      { kind: "host" },
    ]);
  });
});

describe("resolvConf()", () => {
  const text = "# hosts\nnameserver 127.0.0.53\nnameserver\t::1\nnameserver 192.0.2.1\nsearch example\noptions edns0\n";

  it("is the host's, without name servers on loopback where they cannot be reached", () => {
    expect(loopbackNameservers(text)).toEqual(["127.0.0.53", "::1"]);
    expect(resolvConf(text, "own")).toBe("# hosts\nnameserver 192.0.2.1\nsearch example\noptions edns0\n");
    expect(resolvConf(text, "host")).toBe(text);
  });
});

describe("hostsFile()", () => {
  it("puts added entries first", () => {
    expect(
      hostsFile("box", [{ name: "db", address: "192.0.2.9" }])
        .split("\n")
        .slice(0, 2),
    ).toEqual(["192.0.2.9\tdb", "127.0.0.1\tlocalhost box"]);
  });
});
