import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import {
  attribute,
  be32,
  netlinkFlags,
  netlinkProtocols,
  NetlinkSocket,
  textAttribute,
  u32,
  type NetlinkMessage,
} from "../../native/netlink.ts";
import type { NetworkNamespace } from "../../native/netns.ts";
import type { Subnet } from "./subnet.ts";

const AF_INET = 2;
const IFF_UP = 1;
const RTM = { NEWLINK: 16, GETLINK: 18, NEWADDR: 20, NEWROUTE: 24 } as const;
const IFLA = { IFNAME: 3, MTU: 4, LINKINFO: 18, NET_NS_FD: 28 } as const;
const IFLA_INFO = { KIND: 1, DATA: 2 } as const;
const VETH_INFO_PEER = 1;
const IFA = { ADDRESS: 1, LOCAL: 2 } as const;
const RTA = { OIF: 4, GATEWAY: 5 } as const;
const RT_TABLE_MAIN = 254;
const RTPROT_STATIC = 4;
const RTN_UNICAST = 1;
const peerName = "eth0";
const make = netlinkFlags.ack | netlinkFlags.create | netlinkFlags.excl;

/**
 * A pair of interfaces, one in the namespace as `eth0` with a default route by the other. Both go when the namespace
 * goes: asking for it takes the kernel up to 40 ms. `mtuOf`: the host's interface whose MTU they take. @throws SyscallError
 */
export function addVeth(namespace: NetworkNamespace, subnet: Subnet, mtuOf: string | undefined): void {
  const name = `tsb${randomBytes(5).toString("hex")}`;
  using host = NetlinkSocket.open(netlinkProtocols.route);
  host.request("create the veth pair", newVeth(name, namespace.fd, readMtu(mtuOf)));
  configure(host, { index: indexOf(host, name), address: subnet.base + 1 });
  const inside = indexOf(namespace.route, peerName);
  configure(namespace.route, { index: inside, address: subnet.base + 2 });
  namespace.route.request("add the default route", defaultRouteBy(subnet.base + 1, inside));
}

function configure(socket: NetlinkSocket, end: { readonly index: number; readonly address: number }): void {
  const header = Buffer.from([AF_INET, 30, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32LE(end.index, 4);
  const address = be32(end.address);
  const body = Buffer.concat([header, attribute(IFA.LOCAL, address), attribute(IFA.ADDRESS, address)]);
  socket.request("set the address", { type: RTM.NEWADDR, flags: make, body });
  socket.request("raise the interface", link(RTM.NEWLINK, { index: end.index, up: true, flags: netlinkFlags.ack }));
}

function indexOf(socket: NetlinkSocket, name: string): number {
  const [answer] = socket.request("find the interface", link(RTM.GETLINK, { name, flags: netlinkFlags.ack }));
  return answer?.body.readInt32LE(4) ?? 0;
}

function newVeth(name: string, namespaceFd: number, mtu: number | undefined): NetlinkMessage {
  const size = mtu === undefined ? [] : [attribute(IFLA.MTU, u32(mtu))];
  const peer = [
    linkHeader({}),
    textAttribute(IFLA.IFNAME, peerName),
    attribute(IFLA.NET_NS_FD, u32(namespaceFd)),
    ...size,
  ];
  const info = [
    attribute(IFLA_INFO.KIND, Buffer.from("veth")),
    attribute(IFLA_INFO.DATA, [attribute(VETH_INFO_PEER, peer)]),
  ];
  const { type, flags, body } = link(RTM.NEWLINK, { name, flags: make });
  return { type, flags, body: Buffer.concat([body, ...size, attribute(IFLA.LINKINFO, info)]) };
}

interface LinkRequest {
  readonly name?: string;
  readonly index?: number;
  readonly up?: boolean;
  readonly flags: number;
}

function link(type: number, request: LinkRequest): NetlinkMessage {
  const { name, flags } = request;
  const names = name === undefined ? [] : [textAttribute(IFLA.IFNAME, name)];
  return { type, flags, body: Buffer.concat([linkHeader(request), ...names]) };
}

/** struct ifinfomsg */
function linkHeader({ index = 0, up = false }: { readonly index?: number; readonly up?: boolean }): Buffer {
  const header = Buffer.alloc(16);
  header.writeInt32LE(index, 4);
  header.writeUInt32LE(up ? IFF_UP : 0, 8);
  header.writeUInt32LE(up ? IFF_UP : 0, 12);
  return header;
}

function defaultRouteBy(gateway: number, index: number): NetlinkMessage {
  const header = Buffer.from([AF_INET, 0, 0, 0, RT_TABLE_MAIN, RTPROT_STATIC, 0, RTN_UNICAST, 0, 0, 0, 0]);
  const body = [header, attribute(RTA.GATEWAY, be32(gateway)), attribute(RTA.OIF, u32(index))];
  return { type: RTM.NEWROUTE, flags: make, body: Buffer.concat(body) };
}

function readMtu(device: string | undefined): number | undefined {
  if (device === undefined) return undefined;
  try {
    return Number(readFileSync(`/sys/class/net/${device}/mtu`, "utf8"));
  } catch {
    return undefined;
  }
}
