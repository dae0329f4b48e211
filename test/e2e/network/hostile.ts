// Runs in a network namespace of its own, which plays a host that believes router advertisements. Prints JSON.
import { spawn, spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startContainer } from "../../../runtime/index.ts";
import { startImage } from "../../../builder/engine/run.ts";
import {
  attribute,
  netlinkFlags,
  netlinkProtocols,
  NetlinkSocket,
  parseAttributes,
  textAttribute,
} from "../../../native/netlink.ts";
import { createNetworkNamespace } from "../../../native/netns.ts";
import { addVeth } from "../../../runtime/network/veth.ts";
import { Project, fromBusybox } from "../../rig/project.ts";
import { Box } from "../security/container.ts";
import { addDefaultRoute, outside } from "./host.ts";

/** What packets can change: routes, addresses and neighbours of both protocols. */
function state(process: string): readonly string[] {
  const lines = (file: string): readonly string[] => readFileSync(`/proc/${process}/net/${file}`, "utf8").split("\n");
  const columns = (file: string, ...wanted: readonly number[]): readonly string[] =>
    lines(file).map((line) => wanted.map((column) => line.trim().split(/\s+/)[column] ?? "").join(" "));
  return [
    ...lines("route"),
    ...columns("arp", 0, 3, 5),
    ...columns("ipv6_route", 0, 1, 4, 9),
    ...columns("if_inet6", 0, 5),
  ].toSorted();
}

/** Waits until the kernel has made sure that no neighbour has its addresses: their routes come only then. */
async function settled(...processes: readonly string[]): Promise<void> {
  const tentative = (line: string): boolean => (Number.parseInt(line.trim().split(/\s+/)[4] ?? "0", 16) & 0x40) !== 0;
  const open = (): boolean =>
    processes.some((process) => readFileSync(`/proc/${process}/net/if_inet6`, "utf8").split("\n").some(tentative));
  for (let tries = 0; open() && tries < 300; tries++) await new Promise((resolve) => setTimeout(resolve, 100));
}

/** How large packets to an address may be, where somebody has told that they may not be as large as others (RTAX_MTU). */
function smallWay(address: readonly number[]): string {
  using socket = NetlinkSocket.open(netlinkProtocols.route);
  const header = Buffer.from([2, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  const body = Buffer.concat([header, attribute(1, Buffer.from(address))]);
  const [answer] = socket.request("find the route", { type: 26, flags: 0, body });
  const metrics = parseAttributes(answer?.body.subarray(12) ?? Buffer.alloc(0)).get(8);
  const mtu = metrics === undefined ? undefined : parseAttributes(metrics).get(2);
  return `packets of ${mtu === undefined ? "any size" : `${mtu.readUInt32LE(0)} bytes`}`;
}

/** The numbers of nf_tables' messages. */
const nftables = { begin: 0x10, end: 0x11, newTable: 0x0a00, listTables: 0x0a01, deleteTable: 0x0a02 } as const;

function tables(): number {
  using socket = NetlinkSocket.open(netlinkProtocols.netfilter);
  const { listTables: type } = nftables;
  return socket.request("list tables", { type, flags: netlinkFlags.dump, body: Buffer.alloc(4) }).length;
}

/** As one: an empty table that nobody owns, or the end of every table of every family, as `nft flush ruleset` asks for. */
function changeRules(type: number, family: number, ...attributes: readonly Buffer[]): void {
  using socket = NetlinkSocket.open(netlinkProtocols.netfilter);
  const subsystem = Buffer.from([0, 0, 0, 10]);
  const flags = netlinkFlags.ack | (type === nftables.newTable ? netlinkFlags.create : 0);
  socket.request(
    "change the rules",
    { type: nftables.begin, flags: 0, body: subsystem },
    { type, flags, body: Buffer.concat([Buffer.from([family, 0, 0, 0]), ...attributes]) },
    { type: nftables.end, flags: 0, body: subsystem },
  );
}

const results: Record<string, unknown> = {};
spawnSync("busybox", ["ifconfig", "lo", "up"]);
using world = await createNetworkNamespace();
const worldNetwork = `--net=/proc/${process.pid}/fd/${world.fd}`;

/** How many packets the world outside has got. */
function arrived(): string {
  const text = spawnSync("nsenter", [worldNetwork, "cat", "/proc/self/net/snmp"], { encoding: "utf8" }).stdout;
  return `the world has got ${/^Ip: \d+ \d+ (\d+)/m.exec(text)?.[1]}`;
}

addVeth(world, outside, undefined).raise();
addDefaultRoute();
const settings = {
  "ipv4/ip_forward": "1",
  "ipv4/conf/all/rp_filter": "0",
  "ipv4/conf/default/rp_filter": "0",
  "ipv4/conf/all/route_localnet": "1",
  "ipv6/conf/all/accept_ra": "1",
  "ipv6/conf/default/accept_ra": "1",
};
for (const [file, value] of Object.entries(settings)) writeFileSync(`/proc/sys/net/${file}`, value);

using project = new Project({ Dockerfile: `${fromBusybox}COPY neighbour /bin/\n` });
using box = new Box();
box.compile(join(import.meta.dirname, "neighbour.c"), "neighbour");
copyFileSync(join(box.root, "bin/neighbour"), join(project.directory, "neighbour"));
const image = await project.build({ tags: ["neighbour:1"] });
if (image.result === undefined) throw new Error(String(image.error));

/** Runs it while the host listens: what the host heard, and what changed of it and of the other container. */
async function attacked(act: () => Promise<unknown>, ...others: readonly string[]): Promise<unknown> {
  const socket = createSocket("udp4");
  const heard: string[] = [];
  const before: (readonly string[])[] = [];
  let changed: readonly string[] = ["it did not come to the end"];
  socket.on("message", (message, from) => {
    const text = message.toString();
    const states = [[smallWay([203, 0, 113, 9]), arrived()], ...["self", ...others].map(state)];
    if (text === "begin") before.push(...states);
    else if (text === "end")
      changed = states.flatMap((lines, at) => lines.filter((line) => before[at]?.includes(line) !== true));
    else heard.push(text);
    if (text === "begin" || text === "end") socket.send("go on", from.port, from.address);
  });
  socket.bind(9999);
  await once(socket, "listening");
  const result = await act();
  socket.close();
  return { result, heard, changed };
}

// The victim: a container with a server that the host can reach.
const stdio = { stdin: "null", stdout: 2, stderr: 2 } as const;
const serve = "while :; do echo hello | busybox nc -l -p 8080; done";
await using victim = await startContainer(box.spec(["/bin/busybox", "sh", "-c", serve], { network: "own" }), stdio);
const victimAddress = /^(10\.\S+|172\.31\.\S+)/m.exec(readFileSync("/proc/self/net/arp", "utf8"))?.[1] ?? "";
while (spawnSync("busybox", ["nc", "-w", "1", victimAddress, "8080"]).stdout.toString() !== "hello\n");
const line = ["/bin/neighbour", victimAddress];
const victimPid = String(victim.pid);
await settled("self", victimPid);

changeRules(nftables.newTable, 1, textAttribute(1, "the host's"));
results["tables before"] = tables();
changeRules(nftables.deleteTable, 0);
results["tables after"] = tables();
results["a container"] = await attacked(async () => (await box.run(line, { network: "own" })).status, victimPid);
results["another's server"] = (
  await box.sh(`busybox nc -w 1 ${victimAddress} 8080 || echo no`, { network: "own" })
).output;
results["RUN"] = await attacked(async () => {
  project.write("Dockerfile", `${fromBusybox}COPY neighbour /bin/\nRUN ${line.join(" ")}\n`);
  const { error, result } = await project.build({});
  return [error, result?.network];
}, victimPid);
results["run"] = await attacked(async () => {
  await using running = await startImage({ image: "neighbour:1", root: project.store, command: line });
  return await running.exitCode;
}, victimPid);
results["without our rules"] = await attacked(async () => {
  using namespace = await createNetworkNamespace();
  const subnet = { base: 0x0a01_0100, prefix: 30, gateway: "10.1.1.1", address: "10.1.1.2" } as const;
  const pair = addVeth(namespace, subnet, undefined);
  writeFileSync(`/proc/sys/net/ipv6/conf/${pair.host.name}/disable_ipv6`, "0");
  pair.raise();
  const child = spawn(
    "nsenter",
    [`--net=/proc/${process.pid}/fd/${namespace.fd}`, join(box.root, ...line.slice(0, 1)), victimAddress],
    { stdio: ["ignore", 2, 2] },
  );
  return (await once(child, "exit"))[0];
});
console.log(JSON.stringify(results)); // oxlint-disable-line no-console -- it is the script's output
