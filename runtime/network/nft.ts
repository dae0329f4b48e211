import { attribute, be32, netlinkFlags, textAttribute, type NetlinkMessage } from "../../native/netlink.ts";

/** The parts of nf_tables that networks of containers need, as messages. @see linux/netfilter/nf_tables.h */

/** `device`: all that an interface receives, whatever it is; a chain at ingress of family inet sees IP alone. */
export const family = { unspecified: 0, inet: 1, ipv4: 2, device: 5 } as const;
/** Where packets are looked at. */
export const hooks = { ingress: 0, input: 1, forward: 2, postrouting: 4 } as const;
export const policies = { drop: 0, accept: 1 } as const;
export const NFTA_CHAIN = { TABLE: 1, NAME: 3, HOOK: 4, POLICY: 5, TYPE: 7 } as const;
export const NFTA_HOOK = { HOOKNUM: 1, PRIORITY: 2, DEV: 3 } as const;

const NFNL_SUBSYS_NFTABLES = 10;
const NFNL_MSG_BATCH = { BEGIN: 0x10, END: 0x11 } as const;
const NFT_MSG = { NEWTABLE: 0, NEWCHAIN: 3, GETCHAIN: 4, NEWRULE: 6 } as const;
const NFTA_TABLE = { NAME: 1, FLAGS: 2 } as const;
const NFTA_RULE = { TABLE: 1, CHAIN: 2, EXPRESSIONS: 4 } as const;
const NFTA_LIST_ELEM = 1;
const NFTA_EXPR = { NAME: 1, DATA: 2 } as const;
const NFTA_PAYLOAD = { DREG: 1, BASE: 2, OFFSET: 3, LEN: 4 } as const;
const NFTA_META = { DREG: 1, KEY: 2 } as const;
const NFTA_CT = { DREG: 1, KEY: 2 } as const;
const NFTA_BITWISE = { SREG: 1, DREG: 2, LEN: 3, MASK: 4, XOR: 5 } as const;
const NFTA_CMP = { SREG: 1, OP: 2, DATA: 3 } as const;
const NFTA_IMMEDIATE = { DREG: 1, DATA: 2 } as const;
const NFTA_DATA = { VALUE: 1, VERDICT: 2 } as const;
const NFTA_VERDICT_CODE = 1;
const NFT_META = { PROTOCOL: 1, IIF: 4, OIF: 5, NFPROTO: 15 } as const;
const NFTA_REJECT = { TYPE: 1, CODE: 2 } as const;
const NFT_REJECT_ICMP_UNREACH = 0;
const ICMP_PROT_UNREACH = 2;
const NFT_CT_STATE = 0;
/** The kernel removes the table when the socket that made it is closed, however its process ends. */
const NFT_TABLE_F_OWNER = 2;
const networkHeader = 1;
const verdictRegister = 0;
const register = 1;
const make = netlinkFlags.ack | netlinkFlags.create;

/** How a value is compared with what was read. */
export const compare = { equal: 0, notEqual: 1, less: 2 } as const;

/** A chain of a table of ours; `device`: of a chain at ingress. */
export interface Chain {
  readonly name: string;
  readonly type: "filter" | "nat";
  readonly hook: number;
  readonly priority: number;
  readonly policy: number;
  readonly device?: string;
  /** The expressions of each rule. */
  readonly rules: readonly (readonly Buffer[])[];
}

/** A table of ours with its chains. */
export interface Table {
  readonly family: number;
  readonly name: string;
  readonly chains: readonly Chain[];
}

/** Tables, made as one; they belong to the socket that they are sent by. */
export function newTables(tables: readonly Table[]): readonly NetlinkMessage[] {
  return [batch(NFNL_MSG_BATCH.BEGIN), ...tables.flatMap(newTable), batch(NFNL_MSG_BATCH.END)];
}

function newTable({ family, name, chains }: Table): readonly NetlinkMessage[] {
  return [
    message(NFT_MSG.NEWTABLE, make, family, [
      textAttribute(NFTA_TABLE.NAME, name),
      attribute(NFTA_TABLE.FLAGS, be32(NFT_TABLE_F_OWNER)),
    ]),
    ...chains.flatMap((chain) => [
      message(NFT_MSG.NEWCHAIN, make, family, chainAttributes(name, chain)),
      ...chain.rules.map((expressions) =>
        message(NFT_MSG.NEWRULE, make | netlinkFlags.append, family, [
          textAttribute(NFTA_RULE.TABLE, name),
          textAttribute(NFTA_RULE.CHAIN, chain.name),
          attribute(NFTA_RULE.EXPRESSIONS, expressions),
        ]),
      ),
    ]),
  ];
}

function chainAttributes(table: string, chain: Chain): readonly Buffer[] {
  const device = chain.device === undefined ? [] : [textAttribute(NFTA_HOOK.DEV, chain.device)];
  return [
    textAttribute(NFTA_CHAIN.TABLE, table),
    textAttribute(NFTA_CHAIN.NAME, chain.name),
    attribute(NFTA_CHAIN.HOOK, [
      attribute(NFTA_HOOK.HOOKNUM, be32(chain.hook)),
      attribute(NFTA_HOOK.PRIORITY, be32(chain.priority)),
      ...device,
    ]),
    attribute(NFTA_CHAIN.POLICY, be32(chain.policy)),
    textAttribute(NFTA_CHAIN.TYPE, chain.type),
  ];
}

/** Asks for the chains of all families. */
export function listChains(): NetlinkMessage {
  return message(NFT_MSG.GETCHAIN, netlinkFlags.dump, family.unspecified, []);
}

/** The packet's protocol is an Ethernet type. */
export function protocolIs(etherType: number): readonly Buffer[] {
  const value = Buffer.alloc(2);
  value.writeUInt16BE(etherType);
  return [meta(NFT_META.PROTOCOL), cmp(compare.equal, value)];
}

/** The packet is of IPv4: a table of family inet sees both. */
export function isIPv4(): readonly Buffer[] {
  return [meta(NFT_META.NFPROTO), cmp(compare.equal, Buffer.from([family.ipv4]))];
}

/** Bytes of the IP header. */
export function header(offset: number, operator: number, value: Buffer): readonly Buffer[] {
  const load = expression("payload", [
    attribute(NFTA_PAYLOAD.DREG, be32(register)),
    attribute(NFTA_PAYLOAD.BASE, be32(networkHeader)),
    attribute(NFTA_PAYLOAD.OFFSET, be32(offset)),
    attribute(NFTA_PAYLOAD.LEN, be32(value.byteLength)),
  ]);
  return [load, cmp(operator, value)];
}

/** The packet leaves by the interface with this number. */
export function leavesBy(index: number): readonly Buffer[] {
  return [meta(NFT_META.OIF), cmp(compare.equal, native32(index))];
}

/** The packet came by the interface with this number. */
export function cameBy(index: number): readonly Buffer[] {
  return [meta(NFT_META.IIF), cmp(compare.equal, native32(index))];
}

/** The state of the packet's connection is one of these bits. */
export function stateIsOneOf(bits: number): readonly Buffer[] {
  return state(bits, compare.notEqual);
}

/** The state of the packet's connection is none of these bits. */
export function stateIsNone(bits: number): readonly Buffer[] {
  return state(bits, compare.equal);
}

/** How these bits of the state compare with zero. */
function state(bits: number, operator: number): readonly Buffer[] {
  const load = expression("ct", [attribute(NFTA_CT.DREG, be32(register)), attribute(NFTA_CT.KEY, be32(NFT_CT_STATE))]);
  const mask = expression("bitwise", [
    attribute(NFTA_BITWISE.SREG, be32(register)),
    attribute(NFTA_BITWISE.DREG, be32(register)),
    attribute(NFTA_BITWISE.LEN, be32(4)),
    attribute(NFTA_BITWISE.MASK, value(native32(bits))),
    attribute(NFTA_BITWISE.XOR, value(native32(0))),
  ]);
  return [load, mask, cmp(operator, native32(0))];
}

export function verdict(code: number): Buffer {
  const data = attribute(NFTA_DATA.VERDICT, [attribute(NFTA_VERDICT_CODE, be32(code))]);
  return expression("immediate", [
    attribute(NFTA_IMMEDIATE.DREG, be32(verdictRegister)),
    attribute(NFTA_IMMEDIATE.DATA, [data]),
  ]);
}

/** Tells who sent the packet that nobody has its protocol. */
export function rejectProtocol(): Buffer {
  return expression("reject", [
    attribute(NFTA_REJECT.TYPE, be32(NFT_REJECT_ICMP_UNREACH)),
    attribute(NFTA_REJECT.CODE, Buffer.from([ICMP_PROT_UNREACH])),
  ]);
}

export function masquerade(): Buffer {
  return expression("masq", []);
}

function meta(key: number): Buffer {
  return expression("meta", [attribute(NFTA_META.DREG, be32(register)), attribute(NFTA_META.KEY, be32(key))]);
}

function cmp(operator: number, data: Buffer): Buffer {
  return expression("cmp", [
    attribute(NFTA_CMP.SREG, be32(register)),
    attribute(NFTA_CMP.OP, be32(operator)),
    attribute(NFTA_CMP.DATA, value(data)),
  ]);
}

function value(data: Buffer): readonly Buffer[] {
  return [attribute(NFTA_DATA.VALUE, data)];
}

function expression(name: string, data: readonly Buffer[]): Buffer {
  return attribute(NFTA_LIST_ELEM, [textAttribute(NFTA_EXPR.NAME, name), attribute(NFTA_EXPR.DATA, data)]);
}

/** Numbers of interfaces and states are in the machine's order. */
function native32(number: number): Buffer {
  return Buffer.from(Uint32Array.of(number).buffer);
}

function message(type: number, flags: number, of: number, attributes: readonly Buffer[]): NetlinkMessage {
  const body = Buffer.concat([Buffer.from([of, 0, 0, 0]), ...attributes]);
  return { type: (NFNL_SUBSYS_NFTABLES << 8) | type, flags, body };
}

/** Begin and end of what is done as one. struct nfgenmsg names the subsystem in the network's order. */
function batch(type: number): NetlinkMessage {
  return { type, flags: 0, body: Buffer.from([0, 0, 0, NFNL_SUBSYS_NFTABLES]) };
}
