import { addressOf, call, closeFd, tryCall } from "./syscall.ts";

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_SEQPACKET = 5;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;

/** Two ends by which one process hands a descriptor to another. */
export interface FdSocket extends Disposable {
  /** For the other process; closed by closeTheirs(). */
  readonly theirs: number;
  closeTheirs(): void;
  /** The descriptor that was sent before; never waits. @throws SyscallError EAGAIN */
  receive(): number;
}

/** @see unix(7) SCM_RIGHTS */
export function openFdSocket(): FdSocket {
  const { ours, theirs } = socketPair(SOCK_STREAM);
  let open = true;
  const closeTheirs = (): void => {
    if (open) closeFd(theirs);
    open = false;
  };
  return {
    theirs,
    closeTheirs,
    receive: () => receiveFd(ours),
    [Symbol.dispose]: () => {
      closeTheirs();
      closeFd(ours);
    },
  };
}

/** Two ends of a socket that keeps messages apart. */
export function openMessageSocket(): { readonly ours: number; readonly theirs: number } {
  return socketPair(SOCK_SEQPACKET);
}

function socketPair(type: number): { readonly ours: number; readonly theirs: number } {
  const fds = Buffer.alloc(8);
  call("socketpair", undefined, AF_UNIX, type | SOCK_CLOEXEC, 0, fds);
  return { ours: fds.readInt32LE(0), theirs: fds.readInt32LE(4) };
}

/** Sends a message with descriptors; undefined when nobody is there to take it. @throws SyscallError */
export function sendFds(socket: number, bytes: Buffer, fds: readonly number[]): number | undefined {
  const { message, control } = makeMessage(bytes, 16 + fds.length * 4);
  control.writeBigUInt64LE(BigInt(control.byteLength), 0);
  control.writeInt32LE(SOL_SOCKET, 8);
  control.writeInt32LE(SCM_RIGHTS, 12);
  for (const [at, fd] of fds.entries()) control.writeInt32LE(fd, 16 + at * 4);
  return tryCall(["EPIPE", "ECONNRESET"], "sendmsg", undefined, socket, message, MSG_NOSIGNAL);
}

function receiveFd(socket: number): number {
  const { message, control } = makeMessage(Buffer.alloc(1), 24);
  call("recvmsg", undefined, socket, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  const isRights = control.readInt32LE(8) === SOL_SOCKET && control.readInt32LE(12) === SCM_RIGHTS;
  return isRights && message.readBigUInt64LE(40) > 0n ? control.readInt32LE(16) : -1;
}

/**
 * struct msghdr, its iovec, control message and data, as 64-bit machines lay them out: all in one buffer, so that what
 * the pointers in it point to stays as long as it.
 */
function makeMessage(bytes: Buffer, controlSize: number): { readonly message: Buffer; readonly control: Buffer } {
  const [vector, control, data] = [56, 72, 72 + Math.ceil(controlSize / 8) * 8];
  const message = Buffer.alloc(data + bytes.byteLength);
  const start = addressOf(message);
  message.writeBigUInt64LE(start + BigInt(vector), 16);
  message.writeBigUInt64LE(1n, 24);
  message.writeBigUInt64LE(start + BigInt(control), 32);
  message.writeBigUInt64LE(BigInt(data - control), 40);
  message.writeBigUInt64LE(start + BigInt(data), vector);
  message.writeBigUInt64LE(BigInt(bytes.byteLength), vector + 8);
  bytes.copy(message, data);
  return { message, control: message.subarray(control, control + controlSize) };
}
