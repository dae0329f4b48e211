import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { errorMessage, TsbuildError } from "../../native/errors.ts";
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
import type { HostEnd } from "./guard.ts";
import type { Subnet } from "./subnet.ts";

const AF_INET = 2;
const IFF_UP = 1;
const RTM = { NEWLINK: 16, GETLINK: 18, NEWADDR: 20, NEWROUTE: 24, NEWNEIGH: 28 } as const;
const IFLA = { ADDRESS: 1, IFNAME: 3, MTU: 4, LINKINFO: 18, AF_SPEC: 26, NET_NS_FD: 28 } as const;
const IFLA_INFO = { KIND: 1, DATA: 2 } as const;
const IFLA_INET_CONF = 1;
/** Numbers of net.ipv4.conf.IFACE.*. @see linux/ip.h */
const IPV4_DEVCONF = {
  FORWARDING: 1,
  PROXY_ARP: 3,
  ACCEPT_REDIRECTS: 4,
  SEND_REDIRECTS: 6,
  ACCEPT_SOURCE_ROUTE: 9,
  ROUTE_LOCALNET: 26,
} as const;
const VETH_INFO_PEER = 1;
const IFA = { ADDRESS: 1, LOCAL: 2 } as const;
const RTA = { OIF: 4, GATEWAY: 5 } as const;
const NDA = { DST: 1, LLADDR: 2 } as const;
const NUD_PERMANENT = 0x80;
const RT_TABLE_MAIN = 254;
const RTPROT_STATIC = 4;
const RTN_UNICAST = 1;
const peerName = "eth0";
const make = netlinkFlags.ack | netlinkFlags.create | netlinkFlags.excl;

/** One end of a pair; `number`: its interface's. */
interface End {
  readonly number: number;
  readonly address: number;
  readonly mac: Buffer;
}

/** A pair of interfaces that are not up. */
export interface VethPair {
  /** The host's end. */
  readonly host: HostEnd;
  /** Gives both ends their addresses and lets them speak. @throws SyscallError */
  raise(): void;
}

/**
 * A pair of interfaces, one in the namespace as `eth0` with a default route by the other. Both go when the namespace
 * goes: asking for it takes the kernel up to 40 ms. `mtuOf`: the host's interface whose MTU they take.
 * @throws SyscallError
 */
export function addVeth(namespace: NetworkNamespace, subnet: Subnet, mtuOf: string | undefined): VethPair {
  const name = `tsb${randomBytes(5).toString("hex")}`;
  // Given ones, so that nobody changes them later, as udev does.
  const [hostMac, insideMac] = [newMac(), newMac()];
  using host = NetlinkSocket.open(netlinkProtocols.route);
  host.request("create the veth pair", newVeth({ name, namespaceFd: namespace.fd, hostMac, insideMac, mtuOf }));
  withoutIPv6(name);
  const outer = { number: indexOf(host, name), address: subnet.base + 1, mac: hostMac };
  const inner = { number: indexOf(namespace.route, peerName), address: subnet.base + 2, mac: insideMac };
  return { host: { name, index: outer.number }, raise: () => raisePair(namespace, outer, inner) };
}

function raisePair(namespace: NetworkNamespace, outer: End, inner: End): void {
  using host = NetlinkSocket.open(netlinkProtocols.route);
  host.request("raise the host's interface", hostSettings(outer.number), ...raised(outer, inner));
  namespace.route.request(
    "raise the container's interface",
    ...raised(inner, outer),
    defaultRouteBy(outer.address, inner.number),
  );
}

/** Each knows the other from the start: neither asks by ARP, nor believes what is told by it. */
function raised(end: End, other: End): readonly NetlinkMessage[] {
  return [
    newAddress(end),
    link(RTM.NEWLINK, { index: end.number, up: true, flags: netlinkFlags.ack }),
    newNeighbour(end.number, other),
  ];
}

/**
 * The kernel believes router advertisements on an interface that it makes, whatever sends them: without IPv6 there is
 * neither an address of it to talk to nor anything that listens. @throws SyscallError
 */
function withoutIPv6(name: string): void {
  const directory = "/proc/sys/net/ipv6/conf";
  try {
    writeFileSync(`${directory}/${name}/disable_ipv6`, "1");
  } catch (cause) {
    // A kernel without IPv6 has no settings of it.
    if (!existsSync(`${directory}/all`)) return;
    throw new TsbuildError(`Cannot disable IPv6 of the host's interface: ${errorMessage(cause)}`, {
      code: "E_NETWORK_NAMESPACE",
      cause,
    });
  }
}

/** It forwards by itself, whatever others do, and has none of the host's settings that trust a neighbour. */
function hostSettings(index: number): NetlinkMessage {
  const values = new Map<number, number>(Object.values(IPV4_DEVCONF).map((setting) => [setting, 0]));
  values.set(IPV4_DEVCONF.FORWARDING, 1);
  const settings = [...values].map(([setting, value]) => attribute(setting, u32(value)));
  const body = [
    linkHeader({ index }),
    attribute(IFLA.AF_SPEC, [attribute(AF_INET, [attribute(IFLA_INET_CONF, settings)])]),
  ];
  return { type: RTM.NEWLINK, flags: netlinkFlags.ack, body: Buffer.concat(body) };
}

function newAddress(end: End): NetlinkMessage {
  const header = Buffer.from([AF_INET, 30, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32LE(end.number, 4);
  const address = be32(end.address);
  const body = Buffer.concat([header, attribute(IFA.LOCAL, address), attribute(IFA.ADDRESS, address)]);
  return { type: RTM.NEWADDR, flags: make, body };
}

/** struct ndmsg */
function newNeighbour(index: number, { address, mac }: End): NetlinkMessage {
  const header = Buffer.alloc(12);
  header.writeUInt8(AF_INET, 0);
  header.writeInt32LE(index, 4);
  header.writeUInt16LE(NUD_PERMANENT, 8);
  const body = [header, attribute(NDA.DST, be32(address)), attribute(NDA.LLADDR, mac)];
  return { type: RTM.NEWNEIGH, flags: make, body: Buffer.concat(body) };
}

/** A random one of those that no maker gives out. */
function newMac(): Buffer {
  const mac = randomBytes(6);
  mac.writeUInt8((mac.readUInt8(0) & 0xfc) | 0x02, 0);
  return mac;
}

function indexOf(socket: NetlinkSocket, name: string): number {
  const [answer] = socket.request("find the interface", link(RTM.GETLINK, { name, flags: netlinkFlags.ack }));
  return answer?.body.readInt32LE(4) ?? 0;
}

function newVeth(pair: {
  readonly name: string;
  readonly namespaceFd: number;
  readonly hostMac: Buffer;
  readonly insideMac: Buffer;
  readonly mtuOf: string | undefined;
}): NetlinkMessage {
  const mtu = readMtu(pair.mtuOf);
  const size = mtu === undefined ? [] : [attribute(IFLA.MTU, u32(mtu))];
  const peer = [
    linkHeader({}),
    textAttribute(IFLA.IFNAME, peerName),
    attribute(IFLA.ADDRESS, pair.insideMac),
    attribute(IFLA.NET_NS_FD, u32(pair.namespaceFd)),
    ...size,
  ];
  const info = [
    attribute(IFLA_INFO.KIND, Buffer.from("veth")),
    attribute(IFLA_INFO.DATA, [attribute(VETH_INFO_PEER, peer)]),
  ];
  const { type, flags, body } = link(RTM.NEWLINK, { name: pair.name, flags: make });
  const own = [attribute(IFLA.ADDRESS, pair.hostMac), ...size, attribute(IFLA.LINKINFO, info)];
  return { type, flags, body: Buffer.concat([body, ...own]) };
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
