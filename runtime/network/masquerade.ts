import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import {
  attribute,
  be32,
  netlinkFlags,
  netlinkProtocols,
  NetlinkSocket,
  parseAttributes,
  textAttribute,
  type NetlinkMessage,
} from "../../native/netlink.ts";
import type { Subnet } from "./subnet.ts";

const NFPROTO = { UNSPEC: 0, INET: 1, IPV4: 2 } as const;
const NFNL_SUBSYS_NFTABLES = 10;
const NFNL_MSG_BATCH = { BEGIN: 0x10, END: 0x11 } as const;
const NFT_MSG = { NEWTABLE: 0, NEWCHAIN: 3, GETCHAIN: 4, NEWRULE: 6 } as const;
const NFTA_TABLE = { NAME: 1, FLAGS: 2 } as const;
const NFTA_CHAIN = { TABLE: 1, NAME: 3, HOOK: 4, POLICY: 5, TYPE: 7 } as const;
const NFTA_HOOK = { HOOKNUM: 1, PRIORITY: 2 } as const;
const NFTA_RULE = { TABLE: 1, CHAIN: 2, EXPRESSIONS: 4 } as const;
const NFTA_LIST_ELEM = 1;
const NFTA_EXPR = { NAME: 1, DATA: 2 } as const;
const NFTA_PAYLOAD = { DREG: 1, BASE: 2, OFFSET: 3, LEN: 4 } as const;
const NFTA_CMP = { SREG: 1, OP: 2, DATA: 3 } as const;
const NFTA_DATA_VALUE = 1;
const NF_INET_FORWARD = 2;
const NF_INET_POST_ROUTING = 4;
const NF_DROP = 0;
const NF_ACCEPT = 1;
const priorityOfSourceNat = 100;
/** The kernel removes the table when the socket that made it is closed, however its process ends. */
const NFT_TABLE_F_OWNER = 2;
const register = 1;
const networkHeader = 1;
const sourceAddress = { offset: 12, length: 4 } as const;

/** Packets of the container leave the host with the host's address, until disposed. @throws SyscallError */
export function masquerade(subnet: Subnet): Disposable {
  const socket = NetlinkSocket.open(netlinkProtocols.netfilter);
  const table = `tsbuild-${randomBytes(5).toString("hex")}`;
  const flags = netlinkFlags.ack | netlinkFlags.create;
  try {
    socket.request(
      "add the masquerading rule",
      batch(NFNL_MSG_BATCH.BEGIN),
      nft(NFT_MSG.NEWTABLE, flags, [
        textAttribute(NFTA_TABLE.NAME, table),
        attribute(NFTA_TABLE.FLAGS, be32(NFT_TABLE_F_OWNER)),
      ]),
      nft(NFT_MSG.NEWCHAIN, flags, [
        textAttribute(NFTA_CHAIN.TABLE, table),
        textAttribute(NFTA_CHAIN.NAME, "postrouting"),
        attribute(NFTA_CHAIN.HOOK, [
          attribute(NFTA_HOOK.HOOKNUM, be32(NF_INET_POST_ROUTING)),
          attribute(NFTA_HOOK.PRIORITY, be32(priorityOfSourceNat)),
        ]),
        attribute(NFTA_CHAIN.POLICY, be32(NF_ACCEPT)),
        textAttribute(NFTA_CHAIN.TYPE, "nat"),
      ]),
      nft(NFT_MSG.NEWRULE, flags | netlinkFlags.append, [
        textAttribute(NFTA_RULE.TABLE, table),
        textAttribute(NFTA_RULE.CHAIN, "postrouting"),
        attribute(NFTA_RULE.EXPRESSIONS, masqueradeOf(subnet.base + 2)),
      ]),
      batch(NFNL_MSG_BATCH.END),
    );
  } catch (error) {
    socket[Symbol.dispose]();
    throw error;
  }
  return socket;
}

/** ip saddr ADDRESS masquerade */
function masqueradeOf(address: number): readonly Buffer[] {
  return [
    expression("payload", [
      attribute(NFTA_PAYLOAD.DREG, be32(register)),
      attribute(NFTA_PAYLOAD.BASE, be32(networkHeader)),
      attribute(NFTA_PAYLOAD.OFFSET, be32(sourceAddress.offset)),
      attribute(NFTA_PAYLOAD.LEN, be32(sourceAddress.length)),
    ]),
    expression("cmp", [
      attribute(NFTA_CMP.SREG, be32(register)),
      attribute(NFTA_CMP.OP, be32(0)),
      attribute(NFTA_CMP.DATA, [attribute(NFTA_DATA_VALUE, be32(address))]),
    ]),
    expression("masq", []),
  ];
}

function expression(name: string, data: readonly Buffer[]): Buffer {
  return attribute(NFTA_LIST_ELEM, [textAttribute(NFTA_EXPR.NAME, name), attribute(NFTA_EXPR.DATA, data)]);
}

/**
 * What on this host drops packets that are forwarded; undefined = nothing that can be seen. A rule of ours could not
 * bring them back: every base chain must accept. @throws SyscallError without nftables
 */
export function forwardObstacle(): string | undefined {
  const legacy = "/proc/net/ip_tables_names";
  if (existsSync(legacy) && readFileSync(legacy, "utf8").split("\n").includes("filter"))
    return "the host filters by iptables, which may drop forwarded packets";
  using socket = NetlinkSocket.open(netlinkProtocols.netfilter);
  const answers = socket.request(
    "list the firewall's chains",
    nft(NFT_MSG.GETCHAIN, netlinkFlags.dump, [], NFPROTO.UNSPEC),
  );
  for (const { body } of answers) {
    const chain = parseAttributes(body.subarray(4));
    const hook = parseAttributes(chain.get(NFTA_CHAIN.HOOK) ?? Buffer.alloc(0)).get(NFTA_HOOK.HOOKNUM);
    const family = body[0];
    if (family !== NFPROTO.INET && family !== NFPROTO.IPV4) continue;
    if (hook?.readUInt32BE(0) === NF_INET_FORWARD && chain.get(NFTA_CHAIN.POLICY)?.readUInt32BE(0) === NF_DROP)
      return `the host's firewall drops forwarded packets (nft table ${text(chain.get(NFTA_CHAIN.TABLE))}, chain ${text(chain.get(NFTA_CHAIN.NAME))})`;
  }
  return undefined;
}

function text(bytes: Buffer | undefined): string {
  return (bytes?.toString() ?? "?").replace(/\0$/, "");
}

function nft(
  message: number,
  flags: number,
  attributes: readonly Buffer[],
  family: number = NFPROTO.IPV4,
): NetlinkMessage {
  const body = Buffer.concat([Buffer.from([family, 0, 0, 0]), ...attributes]);
  return { type: (NFNL_SUBSYS_NFTABLES << 8) | message, flags, body };
}

/** Begin and end of what is done as one. struct nfgenmsg names the subsystem in the network's order. */
function batch(type: number): NetlinkMessage {
  return { type, flags: 0, body: Buffer.from([0, 0, 0, NFNL_SUBSYS_NFTABLES]) };
}
