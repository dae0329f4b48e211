import { describe, expect, it } from "vitest";
import { hostsFile } from "../../../runtime/network/hosts.ts";
import { openNetwork } from "../../../runtime/network/network.ts";
import { resolution } from "../../../runtime/network/resolv.ts";
import { serviceRelays } from "../../../runtime/network/services.ts";
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
    ipv6Routes: "",
    resolvConf: "nameserver 192.0.2.1\n",
    resolved: "",
    userWay: false,
  };
  const reason = async (change: Partial<typeof host>): Promise<string | undefined> => {
    using network = await openNetwork("own-or-host", { host: { ...host, ...change } });
    expect(network).toMatchObject({ mode: "host", join: { kind: "host" } });
    return network.fallback?.reason;
  };

  it("says why a container cannot have its own", async () => {
    const zeros = "0".repeat(32);
    const ipv6Routes = `${zeros} 00 ${zeros} 00 fe80${"0".repeat(28)} 00000400 00000001 00000000 00000003 eth0\n`;
    expect(await reason({ forwarding: "0\n" })).toContain("net/ipv4/conf/eth0/forwarding is 0");
    expect(await reason({ forwarding: "0\n", routes: header })).toContain("net.ipv4.ip_forward is 0");
    expect(await reason({ routes: header, ipv6Routes })).toContain("IPv6 alone");
    await expect(openNetwork("own", { host: { ...host, forwarding: "0\n" } })).rejects.toMatchObject({
      code: "E_NETWORK_OWN",
      hint: expect.stringContaining("sysctl -w net/ipv4/conf/eth0/forwarding=1"),
    });
  });

  it("makes nothing for none and host", async () => {
    expect([(await openNetwork("none")).join, (await openNetwork("host")).join]).toEqual([
      { kind: "new" },
      { kind: "host" },
    ]);
  });
});

describe("resolution()", () => {
  const asked = (text: string, resolved = ""): readonly (readonly string[])[] =>
    resolution(text, resolved).relays.map(({ inside, host }) => [inside.kind, inside.address, host]);
  const text = "# hosts\nnameserver 127.0.0.53\nnameserver\t::1\nnameserver 192.0.2.1\nsearch example\noptions edns0\n";

  it("is the host's file where its servers can be reached", () => {
    expect(resolution("nameserver 192.0.2.1\n", "")).toEqual({ text: undefined, relays: [] });
  });

  it("leaves out servers on loopback and of IPv6 where there are others", () => {
    const kept = "# hosts\nnameserver 192.0.2.1\nsearch example\noptions edns0\n";
    expect(resolution(text, "")).toEqual({ text: kept, relays: [] });
    expect(resolution("nameserver 2001:db8::1\nnameserver 192.0.2.1", "").text).toBe("nameserver 192.0.2.1");
  });

  it("is systemd-resolved's where its stub is asked", () => {
    const resolved = "nameserver 192.0.2.9\nnameserver 2001:db8::1\nsearch corp\n";
    expect(resolution("nameserver 127.0.0.53\n", resolved)).toEqual({
      text: "nameserver 192.0.2.9\nsearch corp\n",
      relays: [],
    });
    expect(asked("nameserver 127.0.0.1\n", resolved)).toHaveLength(2);
    expect(asked("nameserver 127.0.0.53\n", "nameserver 127.0.0.1\n")).toHaveLength(2);
  });

  it("asks through us where they have them, or at 127.0.0.1", () => {
    expect(asked("nameserver 127.0.0.53\nnameserver ::1\n")).toEqual([
      ["udp", "127.0.0.53", "127.0.0.53"],
      ["tcp", "127.0.0.53", "127.0.0.53"],
      ["udp", "::1", "::1"],
      ["tcp", "::1", "::1"],
    ]);
    expect(resolution("nameserver 127.0.0.53\n", "").text).toBeUndefined();
    expect(asked("search a\n").map(([kind]) => kind)).toEqual(["udp", "tcp"]);
    const far = resolution("nameserver fe80::1%eth0\nsearch a\n", "");
    expect(far.text).toBe("nameserver 127.0.0.1\nsearch a\n");
    expect(far.relays[0]).toMatchObject({ inside: { address: "127.0.0.1" }, host: "fe80::1%eth0", port: 53 });
  });

  it("does not ask what is no address, nor more than three", () => {
    expect(asked("nameserver evil.example\n")).toEqual(asked(""));
    expect(
      asked("nameserver 127.0.0.1\n".concat(...[2, 3, 4, 5].map((n) => `nameserver 127.0.0.${n}\n`))),
    ).toHaveLength(6);
  });
});

describe("serviceRelays()", () => {
  const at = (...urls: readonly string[]): readonly unknown[] =>
    serviceRelays(urls).map(({ inside, host, port }) => `${inside.address}:${inside.port} ${host}:${port}`);

  it("are those on the host's loopback interface, each once", () => {
    expect(
      at("http://127.0.0.1:3128", "http://u:p@127.0.0.1:3128/", "http://proxy.example:3128", "127.0.0.1:3128"),
    ).toEqual(["127.0.0.1:3128 127.0.0.1:3128"]);
    expect(at("http://[::1]:3128", "https://localhost", "socks5://a.localhost")).toEqual([
      "::1:3128 ::1:3128",
      "127.0.0.1:443 localhost:443",
      "127.0.0.1:1080 a.localhost:1080",
    ]);
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
