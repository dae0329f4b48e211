// Runs in network and mount namespaces of its own, which play a host that does not forward and has slirp4netns. Prints
// JSON.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { createNetworkNamespace } from "../../../native/netns.ts";
import { addVeth } from "../../../runtime/network/veth.ts";
import { Project, fromBusybox } from "../../rig/project.ts";
import { addDefaultRoute, outside, seen, startNames } from "./host.ts";

const server = `require("node:http").createServer((request, response) => response.end("from " + request.socket.remoteAddress.replace("::ffff:", "") + "\\n")).listen(8080, () => console.log("up"))`;

const results: Record<string, unknown> = {};
spawnSync("busybox", ["ifconfig", "lo", "up"]);
using world = await createNetworkNamespace();
addVeth(world, outside, undefined).raise();
addDefaultRoute();
writeFileSync("/proc/sys/net/ipv4/ip_forward", "0");
writeFileSync("/etc/resolv.conf", "nameserver 127.0.0.53\noptions ndots:0\n");
await using names = new AsyncDisposableStack();
names.use(await startNames([], "127.0.0.53", [198, 51, 100, 53]));
const http = spawn("nsenter", [`--net=/proc/${process.pid}/fd/${world.fd}`, process.execPath, "-e", server], {
  stdio: ["ignore", "pipe", "inherit"],
});
await once(http.stdout, "data");
const hostLoopback = createServer((socket) => socket.end("the host's own\n")).listen(8083, "127.0.0.1");
const proxy = createHttpServer((request, response) => response.end(`proxied ${request.url}\n`)).listen(
  3128,
  "127.0.0.1",
);
await Promise.all([hostLoopback, proxy].map(async (one) => await once(one, "listening")));

using project = new Project({ Dockerfile: "" });
const look =
  "cat /etc/resolv.conf; ls /sys/class/net; busybox nslookup name.test 2>&1 | grep -o '198.51.100.*'; busybox wget -q -O - http://192.0.2.2:8080/";
project.write("Dockerfile", `${fromBusybox}RUN ${look}\n`);
results["by slirp4netns"] = seen(await project.build());
const no = (address: string): string => `busybox nc -w 2 ${address} 8083 </dev/null 2>/dev/null | grep . || echo no`;
project.write(
  "Dockerfile",
  `${fromBusybox}RUN busybox wget -q -O - http://far.test/; ${no("127.0.0.1")}; ${no("10.0.2.2")}\n`,
);
results["loopback"] = seen(await project.build({ hostEnv: { http_proxy: "http://127.0.0.1:3128" } }));
for (const one of [hostLoopback, proxy]) one.close();
http.kill();
results["processes"] = await left();
console.log(JSON.stringify(results)); // oxlint-disable-line no-console -- it is the script's output

/** How many of the programs are still there, when they had two seconds to end. */
async function left(): Promise<number> {
  const count = (): number => readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && isProgram(pid)).length;
  for (let tries = 0; tries < 200 && count() > 0; tries++) await new Promise((resolve) => setTimeout(resolve, 10));
  return count();
}

function isProgram(pid: string): boolean {
  try {
    const parent = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return parent === String(process.pid) && readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("slirp4netns");
  } catch {
    return false;
  }
}
