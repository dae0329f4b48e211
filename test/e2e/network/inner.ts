// Runs in a network namespace of its own, which plays the host: another one plays the world outside. Prints JSON.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { isDeepStrictEqual } from "node:util";
import { netlinkFlags, netlinkProtocols, NetlinkSocket } from "../../../native/netlink.ts";
import { createNetworkNamespace } from "../../../native/netns.ts";
import { family, hooks, isIPv4, newTables, policies, verdict, type Chain } from "../../../runtime/network/nft.ts";
import { openNetwork } from "../../../runtime/network/network.ts";
import { addVeth } from "../../../runtime/network/veth.ts";
import { Box } from "../security/container.ts";
import { addDefaultRoute, outside } from "./host.ts";

const server = `require("node:http").createServer((request, response) => response.end("from " + request.socket.remoteAddress)).listen(8080, () => console.log("up"))`;

const killed = `import { openNetwork } from ${JSON.stringify(import.meta.resolve("../../../runtime/network/network.ts"))};
globalThis.network = await openNetwork("own"); console.log(network.mode); setInterval(() => network, 1000);`;

/** What a network leaves on the host while it is there. */
function traces(): { readonly links: number; readonly routes: number; readonly tables: number } {
  using socket = NetlinkSocket.open(netlinkProtocols.netfilter);
  const tables = socket.request("list tables", { type: 0x0a01, flags: netlinkFlags.dump, body: Buffer.alloc(4) });
  return {
    links: [...readFileSync("/proc/self/net/dev", "utf8").matchAll(/^\s*tsb/gm)].length,
    routes: readFileSync("/proc/self/net/route", "utf8").split("\n").length,
    tables: tables.length,
  };
}

const results: Record<string, unknown> = {};
using box = new Box();
spawnSync("busybox", ["ifconfig", "lo", "up"]);
writeFileSync("/proc/sys/net/ipv4/ip_forward", "0");
const raised = "busybox grep ^CapEff /proc/self/status";
results["without forwarding"] = await box.sh(raised, { network: "own-or-host" });
results["demanded"] = await box.sh(raised, { network: "own" }).catch((error: unknown) => String(error));
using world = await createNetworkNamespace();
addVeth(world, outside, undefined).raise();
addDefaultRoute();
writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
const http = spawn("nsenter", [`--net=/proc/${process.pid}/fd/${world.fd}`, process.execPath, "-e", server], {
  stdio: ["ignore", "pipe", "inherit"],
});
await once(http.stdout, "data");
try {
  const before = traces();
  const own = await box.sh(
    "busybox wget -q -O - http://192.0.2.2:8080/; echo; busybox ifconfig | busybox grep -c HWaddr; busybox ip -4 route; busybox ls /sys/class/net",
    { network: "own" },
  );
  results["own"] = own;
  results["none"] = await box.sh("busybox nc -w 2 192.0.2.2 8080; busybox ls /sys/class/net", {
    network: "none",
  });
  results["host"] = await box.sh("busybox wget -q -O - http://192.0.2.2:8080/", { network: "host" });
  results["gateway"] = await reachHost();
  const child = spawn(process.execPath, ["--input-type=module", "-e", killed], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [mode] = await once(child.stdout, "data");
  const during = traces();
  child.kill("SIGKILL");
  await until(() => isDeepStrictEqual(traces(), before));
  results["killed"] = { mode: String(mode).trim(), before, during, after: traces() };
  using first = await openNetwork("own");
  using second = await openNetwork("own");
  results["two"] = [first.subnet?.address, second.subnet?.address, first.join, second.join];
  results["times"] = await measure();
  results["firewall that drops"] = await behind("drops", policies.drop, []);
  results["firewall that lets it through"] = await behind("lets through", policies.drop, [
    [...isIPv4(), verdict(policies.accept)],
  ]);
  results["firewall that drops by a rule"] = await behind("has a rule", policies.accept, [
    [...isIPv4(), verdict(policies.drop)],
  ]);
  await until(() => traces().tables === 0);
  const legacy = spawnSync("iptables-legacy", ["-L", "FORWARD"]);
  results["iptables"] = legacy.status === 0 ? await modeNow() : "own";
} finally {
  http.kill();
}
console.log(JSON.stringify(results)); // oxlint-disable-line no-console -- it is the script's output

/** What a server of the host says to containers that call it by a name for its address. */
async function reachHost(): Promise<readonly string[]> {
  const host = createServer((socket) => socket.end("hello\n")).listen(8082);
  await once(host, "listening");
  const said: string[] = [];
  for (const network of ["own", "host", "none"] as const) {
    const hosts = [{ name: "gateway", address: "host-gateway" }];
    const script = "busybox nc -w 2 gateway 8082 2>/dev/null; busybox grep -c gateway /etc/hosts";
    said.push((await box.sh(script, { network, hosts })).output);
  }
  host.close();
  return said;
}

/** The network of a container of a host whose firewall has this chain. */
async function behind(name: string, policy: number, rules: Chain["rules"]): Promise<string> {
  await until(() => traces().tables === 0);
  using firewall = NetlinkSocket.open(netlinkProtocols.netfilter);
  const chain = { name: "c", type: "filter", hook: hooks.forward, priority: 0, policy, rules } as const;
  firewall.request("add a firewall", ...newTables([{ family: family.inet, name, chains: [chain] }]));
  return await modeNow();
}

async function modeNow(): Promise<string> {
  using network = await openNetwork("own-or-host");
  return network.fallback?.reason ?? network.mode;
}

/** The kernel takes interfaces away in the background: asked again until it has, for two seconds. */
async function until(holds: () => boolean): Promise<void> {
  for (let count = 0; count < 200 && !holds(); count++) await new Promise((resolve) => setTimeout(resolve, 10));
}

async function measure(): Promise<number> {
  const times: number[] = [];
  for (let count = 0; count < 10; count++) {
    const start = performance.now();
    const network = await openNetwork("own");
    times.push(performance.now() - start);
    network[Symbol.dispose]();
  }
  return times.toSorted((a, b) => a - b)[5] ?? 0;
}
