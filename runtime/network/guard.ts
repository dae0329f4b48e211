import { randomBytes } from "node:crypto";
import { be32, netlinkProtocols, NetlinkSocket } from "../../native/netlink.ts";
import * as nft from "./nft.ts";
import { probeAddress } from "./probe.ts";
import type { Subnet } from "./subnet.ts";

/** How the names of our tables begin. */
export const ownTables = "tsbuild-";

/** The host's end of a pair. */
export interface HostEnd {
  readonly name: string;
  readonly index: number;
}

const etherTypeIPv4 = 0x0800;
const headerOffset = { protocol: 9, source: 12, destination: 16 } as const;
const loopbackBlock = 127;
const firstMulticastBlock = 224;
const states = { invalid: 1, establishedOrRelated: 6 } as const;
const udp = 17;
/** The last of all: what comes there was dropped by nobody. */
const priorities = { filter: 0, sourceNat: 100, last: 0x7fff_ffff } as const;

/**
 * The rules of one container's network, in tables that go with the socket that is given back. The container speaks
 * from its own address only, and IPv4 only: no ARP, no router advertisement, nothing to everybody. Nobody but this
 * host begins to speak to it, neither another container nor a neighbour of the host. What it sends away has the host's
 * address. Made before the pair is raised: there is no moment without them. @throws SyscallError
 */
export function guard(end: HostEnd, subnet: Subnet, { probed }: { readonly probed: boolean }): Disposable {
  const socket = NetlinkSocket.open(netlinkProtocols.netfilter);
  const address = be32(subnet.base + 2);
  const probe = probed ? [whatIsProbed(address)] : [];
  const name = `${ownTables}${randomBytes(5).toString("hex")}`;
  try {
    socket.request(
      "add the container's rules",
      ...nft.newTables([
        { family: nft.family.device, name, chains: [whatItMaySend(end, address)] },
        {
          family: nft.family.inet,
          name,
          chains: [whatReachesIt(end), whatIsHeard(end), whatLeaves(address), ...probe],
        },
      ]),
    );
  } catch (error) {
    socket[Symbol.dispose]();
    throw error;
  }
  return socket;
}

function whatItMaySend(end: HostEnd, address: Buffer): nft.Chain {
  const { equal, notEqual, less } = nft.compare;
  return {
    name: "ingress",
    type: "filter",
    hook: nft.hooks.ingress,
    priority: priorities.filter,
    policy: nft.policies.drop,
    device: end.name,
    rules: [
      [
        ...nft.protocolIs(etherTypeIPv4),
        ...nft.header(headerOffset.source, equal, address),
        ...nft.header(headerOffset.destination, notEqual, Buffer.from([loopbackBlock])),
        ...nft.header(headerOffset.destination, less, Buffer.from([firstMulticastBlock])),
        nft.verdict(nft.policies.accept),
      ],
    ],
  };
}

function whatReachesIt(end: HostEnd): nft.Chain {
  return {
    name: "forward",
    type: "filter",
    hook: nft.hooks.forward,
    priority: priorities.filter,
    policy: nft.policies.accept,
    rules: [
      [...nft.leavesBy(end.index), ...nft.stateIsNone(states.establishedOrRelated), nft.verdict(nft.policies.drop)],
      ofNoConnection(end),
    ],
  };
}

/** What the host itself hears of it. */
function whatIsHeard(end: HostEnd): nft.Chain {
  return {
    name: "input",
    type: "filter",
    hook: nft.hooks.input,
    priority: priorities.filter,
    policy: nft.policies.accept,
    rules: [ofNoConnection(end)],
  };
}

/**
 * What belongs to no connection and begins none: it would leave with the container's address, which is not replaced
 * then, and an error that is about no packet of anybody would make the host believe that a way takes small packets only.
 */
function ofNoConnection(end: HostEnd): readonly Buffer[] {
  return [...nft.cameBy(end.index), ...nft.stateIsOneOf(states.invalid), nft.verdict(nft.policies.drop)];
}

/** Packets of a probe come no further than here, and are answered. */
function whatIsProbed(address: Buffer): nft.Chain {
  const { equal } = nft.compare;
  return {
    name: "probe",
    type: "filter",
    hook: nft.hooks.forward,
    priority: priorities.last,
    policy: nft.policies.accept,
    rules: [
      [
        ...nft.isIPv4(),
        ...nft.header(headerOffset.source, equal, address),
        ...nft.header(headerOffset.destination, equal, probeAddress),
        ...nft.header(headerOffset.protocol, equal, Buffer.from([udp])),
        nft.rejectProtocol(),
      ],
    ],
  };
}

function whatLeaves(address: Buffer): nft.Chain {
  return {
    name: "postrouting",
    type: "nat",
    hook: nft.hooks.postrouting,
    priority: priorities.sourceNat,
    policy: nft.policies.accept,
    rules: [[...nft.isIPv4(), ...nft.header(headerOffset.source, nft.compare.equal, address), nft.masquerade()]],
  };
}
