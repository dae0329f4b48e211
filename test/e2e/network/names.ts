// Runs in network and mount namespaces of its own, which play a host whose name servers and proxy are on its loopback
// interface. Prints JSON.
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { createNetworkNamespace } from "../../../native/netns.ts";
import { addVeth } from "../../../runtime/network/veth.ts";
import { Project, fromBusybox, type Outcome } from "../../rig/project.ts";
import { Box } from "../security/container.ts";
import { addDefaultRoute, outside, seen, startNames } from "./host.ts";

const results: Record<string, unknown> = {};
spawnSync("busybox", ["ifconfig", "lo", "up"]);
using world = await createNetworkNamespace();
addVeth(world, outside, undefined).raise();
addDefaultRoute();
writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
writeFileSync("/proc/sys/net/ipv6/conf/lo/disable_ipv6", "1");
const inWorld = ["nsenter", `--net=/proc/${process.pid}/fd/${world.fd}`];
await using servers = new AsyncDisposableStack();
servers.use(await startNames([], "127.0.0.53", [198, 51, 100, 53]));
servers.use(await startNames(inWorld, outside.address, [198, 51, 100, 54]));

using project = new Project({ Dockerfile: "" });
const hostLoopback = createServer((socket) => socket.end("the host's own\n")).listen(8083, "127.0.0.1");
const proxy = createHttpServer((request, response) => response.end(`proxied ${request.url}\n`));
const overTcp = createServer((socket) => socket.pipe(socket)).listen(53, "127.0.0.53");
proxy.listen(3128, "127.0.0.1");
await Promise.all([hostLoopback, proxy, overTcp].map(async (server) => await once(server, "listening")));

const look = "cat /etc/resolv.conf; busybox nslookup name.test 2>&1 | grep -o '198.51.100.*'";
resolvConf("nameserver 127.0.0.53\noptions ndots:0\n");
results["by us"] = seen(await run(`${look}; echo over tcp | busybox nc 127.0.0.53 53`));
results["nobody there"] = await withoutServer("127.0.0.77");
results["from port 0"] = await fromPortZero();
results["an address that the host has not"] = await withoutServer("::1");
resolvConf("nameserver 127.0.0.53\n");
mkdirSync("/run/systemd/resolve", { recursive: true });
writeFileSync("/run/systemd/resolve/resolv.conf", `nameserver ${outside.address}\nsearch test\n`);
results["by systemd-resolved's servers"] = seen(await run(look));
resolvConf(`nameserver ::1\nnameserver ${outside.address}\n`);
results["by one that can be reached"] = seen(await run(look));
const fetch = "busybox wget -q -O - http://far.test/; busybox nc 127.0.0.1 8083 </dev/null; true";
results["by a proxy"] = seen(await run(fetch, { http_proxy: "http://127.0.0.1:3128" }));
for (const server of [hostLoopback, proxy, overTcp]) server.close();
console.log(JSON.stringify(results)); // oxlint-disable-line no-console -- it is the script's output

async function run(script: string, hostEnv: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  project.write("Dockerfile", `${fromBusybox}RUN ${script}\n`);
  return await project.build({ noCache: true, hostEnv });
}

function resolvConf(text: string): void {
  writeFileSync("/etc/resolv.conf", text);
}

/** Questions that cannot be answered, and one that can. */
async function fromPortZero(): Promise<unknown> {
  resolvConf("nameserver 127.0.0.53\noptions ndots:0\n");
  using box = new Box();
  box.compile(join(import.meta.dirname, "portless.c"), "portless");
  copyFileSync(join(box.root, "bin/portless"), join(project.directory, "portless"));
  project.write(
    "Dockerfile",
    `${fromBusybox}COPY portless /bin/\nRUN portless 127.0.0.53; busybox nslookup name.test | grep -o '198.51.100.*'\n`,
  );
  return seen(await project.build({ noCache: true, hostEnv: {} }));
}

/** The answer comes from us when none comes from the host's loopback interface. */
async function withoutServer(address: string): Promise<unknown> {
  resolvConf(`nameserver ${address}\n`);
  return seen(await run("busybox nslookup name.test 2>&1 | grep -o SERVFAIL | head -n1"));
}
