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

/** Sends a message with descriptors; false when nobody is there to take it. @throws SyscallError */
export function sendFds(socket: number, bytes: Uint8Array, fds: readonly number[]): boolean {
  const { message, view, control } = makeMessage(bytes, 16 + fds.length * 4);
  view.setBigUint64(control, BigInt(16 + fds.length * 4), true);
  view.setInt32(control + 8, SOL_SOCKET, true);
  view.setInt32(control + 12, SCM_RIGHTS, true);
  for (const [at, fd] of fds.entries()) view.setInt32(control + 16 + at * 4, fd, true);
  return tryCall(["EPIPE", "ECONNRESET"], "sendmsg", undefined, socket, message, MSG_NOSIGNAL) !== undefined;
}

function receiveFd(socket: number): number {
  const { message, view, control } = makeMessage(new Uint8Array(1), 24);
  call("recvmsg", undefined, socket, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  const isRights = view.getInt32(control + 8, true) === SOL_SOCKET && view.getInt32(control + 12, true) === SCM_RIGHTS;
  return isRights && view.getBigUint64(40, true) > 0n ? view.getInt32(control + 16, true) : -1;
}

/** A struct msghdr, and where its control message begins. */
interface Message {
  readonly message: Uint8Array;
  readonly view: DataView;
  readonly control: number;
}

/**
 * struct msghdr, its iovec, control message and data, as 64-bit machines lay them out: all in one buffer, so that what
 * the pointers in it point to stays as long as it.
 */
function makeMessage(bytes: Uint8Array, controlSize: number): Message {
  const [vector, control, data] = [56, 72, 72 + Math.ceil(controlSize / 8) * 8];
  const message = new Uint8Array(data + bytes.byteLength);
  const view = new DataView(message.buffer);
  const start = addressOf(message);
  view.setBigUint64(16, start + BigInt(vector), true);
  view.setBigUint64(24, 1n, true);
  view.setBigUint64(32, start + BigInt(control), true);
  view.setBigUint64(40, BigInt(data - control), true);
  view.setBigUint64(vector, start + BigInt(data), true);
  view.setBigUint64(vector + 8, BigInt(bytes.byteLength), true);
  message.set(bytes, data);
  return { message, view, control };
}
