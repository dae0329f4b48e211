import { spawn } from "node:child_process";
import { once } from "node:events";
import { attribute, be32, netlinkFlags, netlinkProtocols, NetlinkSocket } from "../../../native/netlink.ts";
import type { Outcome } from "../../rig/project.ts";

/** Between a namespace that plays the host and one that plays the world outside. */
export const outside = { base: 0xc000_0200, prefix: 30, gateway: "192.0.2.1", address: "192.0.2.2" } as const;

/** The host's default route leads to the world outside. */
export function addDefaultRoute(): void {
  using socket = NetlinkSocket.open(netlinkProtocols.route);
  const header = Buffer.from([2, 0, 0, 0, 254, 4, 0, 1, 0, 0, 0, 0]);
  const body = Buffer.concat([header, attribute(5, be32(outside.base + 2))]);
  socket.request("add the default route", { type: 24, flags: netlinkFlags.ack | netlinkFlags.create, body });
}

/** A name server that knows one address for every name. */
const nameServer = `(address, bytes) => {
  const socket = require("node:dgram").createSocket("udp4");
  socket.on("message", (question, from) => {
    const answer = Buffer.from(question);
    answer[2] |= 0x80;
    answer.writeUInt16BE(1, 6);
    answer.writeUInt32BE(0, 8);
    const end = question.indexOf(0, 12) + 5;
    const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...bytes]);
    const isA = question.readUInt16BE(end - 4) === 1;
    if (!isA) answer.writeUInt16BE(0, 6);
    socket.send(Buffer.concat([answer.subarray(0, end), isA ? record : Buffer.alloc(0)]), from.port, from.address);
  });
  socket.bind(53, address, () => console.log("up"));
}`;

/** Starts one, in a namespace that a command line leads to. */
export async function startNames(
  within: readonly string[],
  address: string,
  bytes: readonly number[],
): Promise<AsyncDisposable> {
  const script = `(${nameServer})(${JSON.stringify(address)}, ${JSON.stringify(bytes)})`;
  const [program, ...words] = [...within, process.execPath, "-e", script];
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return {
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await once(child, "exit");
    },
  };
}

/** What a build of a host came to. */
export function seen({ error, result, log }: Outcome): unknown {
  return { error: error === undefined ? "" : String(error), network: result?.network, log };
}
