import { close } from "node:fs";
import { SyscallError } from "./errors.ts";
import { call, errnoByNumber, tryCall, writeFd } from "./syscall.ts";

const AF_NETLINK = 16;
const SOCK_RAW_FLAGS = 3 | 0o2000000 | 0o4000;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;

/** Protocols of AF_NETLINK. */
export const netlinkProtocols = { route: 0, netfilter: 12 } as const;
/** NLM_F_* */
export const netlinkFlags = { request: 1, ack: 4, dump: 0x300, excl: 0x200, create: 0x400, append: 0x800 } as const;

/** One message: header fields, the family's own struct, attributes. */
export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly body: Buffer;
}

/** One answer of the kernel that is not an acknowledgement: what follows its header. */
export interface NetlinkAnswer {
  readonly type: number;
  readonly body: Buffer;
}

/** A netlink socket; the kernel answers before a send returns, so nothing waits. @see netlink(7) */
export class NetlinkSocket implements Disposable {
  readonly #fd: number;
  #sequence = 1;

  constructor(fd: number) {
    this.#fd = fd;
  }

  static open(protocol: number): NetlinkSocket {
    return new NetlinkSocket(call("socket", undefined, AF_NETLINK, SOCK_RAW_FLAGS, protocol));
  }

  /** Sends the messages as one; gives the answers. @throws SyscallError with the kernel's errno, named `what` */
  request(what: string, ...messages: readonly NetlinkMessage[]): readonly NetlinkAnswer[] {
    writeFd(this.#fd, Buffer.concat(messages.map((message) => encode(message, this.#sequence++))));
    const answers: NetlinkAnswer[] = [];
    const buffer = Buffer.alloc(64 << 10);
    for (;;) {
      const size = tryCall(["EAGAIN"], "read", undefined, this.#fd, buffer, buffer.byteLength);
      if (size === undefined) return answers;
      if (readAnswers(what, buffer.subarray(0, size), answers)) return answers;
    }
  }

  /** In a thread of the pool: what the kernel undoes with the socket can take it milliseconds. */
  [Symbol.dispose](): void {
    close(this.#fd, () => undefined);
  }
}

/** Collects answers of one datagram; true when a dump has ended. */
function readAnswers(what: string, datagram: Buffer, answers: NetlinkAnswer[]): boolean {
  for (let at = 0; at + 16 <= datagram.byteLength;) {
    const length = datagram.readUInt32LE(at);
    const type = datagram.readUInt16LE(at + 4);
    const body = datagram.subarray(at + 16, at + length);
    if (type === NLMSG_DONE) return true;
    if (type === NLMSG_ERROR) {
      const errno = -body.readInt32LE(0);
      if (errno !== 0) throw new SyscallError(what, errnoByNumber(errno));
    } else answers.push({ type, body: Buffer.from(body) });
    at += Math.max(16, (length + 3) & ~3);
  }
  return false;
}

function encode({ type, flags, body }: NetlinkMessage, sequence: number): Buffer {
  const header = Buffer.alloc(16);
  header.writeUInt32LE(16 + body.byteLength, 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(flags | netlinkFlags.request, 6);
  header.writeUInt32LE(sequence, 8);
  return Buffer.concat([header, body]);
}

/** One attribute, padded to four bytes; a list of buffers makes it nested. */
export function attribute(type: number, value: Uint8Array | readonly Buffer[]): Buffer {
  const nested = !(value instanceof Uint8Array);
  const bytes = value instanceof Uint8Array ? value : Buffer.concat(value);
  const all = Buffer.alloc((4 + bytes.byteLength + 3) & ~3);
  all.writeUInt16LE(4 + bytes.byteLength, 0);
  all.writeUInt16LE(nested ? type | 0x8000 : type, 2);
  all.set(bytes, 4);
  return all;
}

/** A text with its NUL. */
export function textAttribute(type: number, text: string): Buffer {
  return attribute(type, Buffer.from(`${text}\0`));
}

/** 32 bits in the machine's order, as rtnetlink has them. */
export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

/** 32 bits in the network's order, as nfnetlink has them. */
export function be32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/** The attributes in a buffer by type (without the nested bit); the last of a type wins. */
export function parseAttributes(bytes: Buffer): ReadonlyMap<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = 0; at + 4 <= bytes.byteLength;) {
    const length = bytes.readUInt16LE(at);
    if (length < 4) break;
    found.set(bytes.readUInt16LE(at + 2) & 0x3fff, bytes.subarray(at + 4, at + length));
    at += (length + 3) & ~3;
  }
  return found;
}
