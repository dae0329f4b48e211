import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

/** The script plays the host in a namespace of its own, so that nothing of the machine is touched. */
function play(inner: string, tun = false): Readonly<Record<string, unknown>> {
  const directory = mkdtempSync(join(tmpdir(), "tsbuild-network-"));
  try {
    const file = join(directory, "resolv.conf");
    writeFileSync(file, "nameserver 192.0.2.2\n");
    // Without /dev/net/tun no program can make an interface.
    const script = `mount -t tmpfs tmpfs /run && ${tun ? "" : "mount -t tmpfs tmpfs /dev/net &&"} mount --bind "$0" /etc/resolv.conf && exec "$@"`;
    const done = spawnSync(
      "unshare",
      ["--net", "--mount", "sh", "-c", script, file, process.execPath, join(import.meta.dirname, inner)],
      {
        encoding: "utf8",
        timeout: 200_000,
      },
    );
    if (done.status !== 0) throw new Error(done.stderr);
    return JSON.parse(done.stdout);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

describe("the network of a container", () => {
  const results = play("inner.ts");

  it("own reaches the world by masquerading, through eth0 and a default route", () => {
    expect(results["own"]).toMatchObject({ network: { mode: "own" }, status: { kind: "exited", code: 0 } });
    expect(results["own"]).toMatchObject({ output: expect.stringMatching(/^from (?:::ffff:)?192\.0\.2\.1\n1\n/) });
    expect(results["own"]).toMatchObject({ output: expect.stringMatching(/default via [\d.]+ dev eth0/) });
    expect(results["own"]).toMatchObject({ output: expect.stringMatching(/eth0\nlo\n$/) });
  });

  it("none has lo alone and reaches nothing; host is the host's", () => {
    expect(results["none"]).toMatchObject({ output: expect.stringMatching(/unreachable\nlo\n$/) });
    expect(results["host"]).toMatchObject({ output: expect.stringMatching(/^from (?:::ffff:)?192\.0\.2\.1$/) });
  });

  it("reaches the host by the address that host-gateway stands for, where it has one", () => {
    expect(results["gateway"]).toEqual(["hello\n1\n", "hello\n1\n", "0\n"]);
  });

  it("own becomes host, with the reason, where the host does not forward", () => {
    expect(results["without forwarding"]).toMatchObject({
      network: {
        mode: "host",
        fallback: { reason: "the host does not forward packets (sysctl net.ipv4.ip_forward is 0)" },
      },
      // Docker's 14 but CAP_NET_RAW.
      output: expect.stringMatching(/^CapEff:\s+00000000a80405fb\n$/),
    });
    expect(results["demanded"]).toContain("Cannot make a network of the container's own: the host does not forward");
  });

  it("own is the host's firewall's to allow: it is tried, whatever its policy is", () => {
    const reason = (name: string): string => `the host's firewall drops forwarded packets (nft table ${name}, chain c)`;
    expect(results["firewall that drops"]).toBe(reason("drops"));
    expect(results["firewall that drops by a rule"]).toBe(reason("has a rule"));
    expect(results["firewall that lets it through"]).toBe("own");
    expect(results["iptables"]).toBe("own");
  });

  it("own is never shared by two containers", () => {
    const [first, second, ...joins] = results["two"] as readonly unknown[];
    expect(first).not.toBe(second);
    expect(joins[0]).not.toEqual(joins[1]);
  });

  it("leaves no interface, route or table behind, also when its process is killed", () => {
    const traces = { links: 1, routes: 4, tables: 0 };
    expect(results["killed"]).toEqual({
      mode: "own",
      before: traces,
      during: { links: 2, routes: 5, tables: 2 },
      after: traces,
    });
  });
});

describe("a container that lies to its neighbours", () => {
  const results = play("hostile.ts");
  const nothing = { heard: [], changed: [] };

  it("changes no route, address or neighbour, of the host and of another container; nothing leaves with its address", () => {
    expect(results["a container"]).toEqual({ result: { kind: "exited", code: 0 }, ...nothing });
    expect(results["RUN"]).toEqual({ result: [null, { mode: "own" }], ...nothing });
    expect(results["run"]).toEqual({ result: 0, ...nothing });
  });

  it("stays behind its rules when all of the host's are flushed", () => {
    expect([results["tables before"], results["tables after"]]).toEqual([3, 2]);
  });

  it("does not reach another container", () => {
    expect(results["another's server"]).toMatch(/no\n$/);
  });

  it("would without the rules of its network", () => {
    expect(results["without our rules"]).toMatchObject({
      result: 0,
      heard: expect.arrayContaining(["as the world outside", "as another container", "to the host's loopback"]),
      changed: expect.arrayContaining([
        "packets of 600 bytes",
        expect.stringMatching(/^the world has got \d+$/),
        expect.stringMatching(/^0{32} 00 fe80.* tsb/),
      ]),
    });
  });
});

describe("a host whose services are on its loopback interface", () => {
  const results = play("names.ts");
  const own = { error: "", network: { mode: "own" } };

  it("lends its name server to a network of the container's own, over UDP and TCP", () => {
    const log = "nameserver 127.0.0.53\noptions ndots:0\n198.51.100.53\nover tcp\n";
    expect(results["by us"]).toEqual({ ...own, log });
  });

  it("answers in place of one that is not there", () => {
    expect(results["nobody there"]).toEqual({ ...own, log: "SERVFAIL\n" });
    expect(results["an address that the host has not"]).toEqual({ ...own, log: "SERVFAIL\n" });
  });

  it("answers the next question after one from port 0, which has no place for an answer", () => {
    expect(results["from port 0"]).toEqual({ ...own, log: "198.51.100.53\n" });
  });

  it("tells the servers that systemd-resolved asks", () => {
    const log = "nameserver 192.0.2.2\nsearch test\n198.51.100.54\n";
    expect(results["by systemd-resolved's servers"]).toEqual({ ...own, log });
  });

  it("leaves out servers that cannot be reached where others can", () => {
    expect(results["by one that can be reached"]).toEqual({ ...own, log: "nameserver 192.0.2.2\n198.51.100.54\n" });
  });

  it("lends the proxy that it was given, and no other service", () => {
    const log = expect.stringMatching(/^proxied http:\/\/far\.test\/\n(?!.*the host's own)/s);
    expect(results["by a proxy"]).toEqual({ ...own, log });
  });
});

describe.runIf(existsSync("/usr/bin/slirp4netns") && existsSync("/dev/net/tun"))("a host that has slirp4netns", () => {
  const results = play("user-way.ts", true);

  it("gives a network of the container's own where it does not forward", () => {
    expect(results["by slirp4netns"]).toEqual({
      error: "",
      network: { mode: "own" },
      log: "nameserver 10.0.2.3\noptions ndots:0\neth0\nlo\n198.51.100.53\nfrom 192.0.2.1\n",
    });
  });

  it("does not lead to the host's loopback interface, save to the proxy that was given", () => {
    expect(results["loopback"]).toEqual({
      error: "",
      network: { mode: "own" },
      log: "proxied http://far.test/\nno\nno\n",
    });
  });

  it("leaves no process behind", () => {
    expect(results["processes"]).toBe(0);
  });
});
