import { addressOf, call, closeFd } from "./syscall.ts";

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
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
  const fds = Buffer.alloc(8);
  call("socketpair", undefined, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds);
  const [ours, theirs] = [fds.readInt32LE(0), fds.readInt32LE(4)];
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

/** struct msghdr, iovec and cmsghdr as 64-bit machines lay them out. */
function receiveFd(socket: number): number {
  const byte = Buffer.alloc(1);
  const vector = Buffer.alloc(16);
  vector.writeBigUInt64LE(addressOf(byte), 0);
  vector.writeBigUInt64LE(1n, 8);
  const control = Buffer.alloc(24);
  const message = Buffer.alloc(56);
  message.writeBigUInt64LE(addressOf(vector), 16);
  message.writeBigUInt64LE(1n, 24);
  message.writeBigUInt64LE(addressOf(control), 32);
  message.writeBigUInt64LE(BigInt(control.length), 40);
  call("recvmsg", undefined, socket, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  const isRights = control.readInt32LE(8) === SOL_SOCKET && control.readInt32LE(12) === SCM_RIGHTS;
  return isRights && message.readBigUInt64LE(40) > 0n ? control.readInt32LE(16) : -1;
}
