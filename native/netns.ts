import { once } from "node:events";
import { close, closeSync, openSync } from "node:fs";
import { Socket } from "node:net";
import { TsbuildError } from "./errors.ts";
import { NetlinkSocket } from "./netlink.ts";
import { spawnProcess } from "./spawn.ts";
import { call, closeFd, errnoByNumber, pipe } from "./syscall.ts";
import { waitFor } from "./wait.ts";

const SYS_pidfd_open = 434;
const SYS_pidfd_getfd = 438;
const reportStarted = 2;
/** @see native/init/netns.h */
const firstSocket = 64;

/** A socket inside of a namespace. */
export interface LocalAddress {
  readonly kind: "tcp" | "udp";
  readonly address: string;
  readonly port: number;
}

/** A new network namespace with `lo` up; it lasts as long as the descriptor or a process in it. */
export interface NetworkNamespace extends Disposable {
  readonly fd: number;
  /** A routing socket inside. */
  readonly route: NetlinkSocket;
  /** Those that were asked for, bound; whoever uses them closes them. */
  readonly sockets: readonly number[];
}

/**
 * Makes one without touching this process's own: a short-lived child makes it and hands it over.
 * @throws SyscallError, E_NETWORK_NAMESPACE
 */
export async function createNetworkNamespace(sockets: readonly LocalAddress[] = []): Promise<NetworkNamespace> {
  await using child = startKeeper(sockets);
  const socket = await child.socket;
  using stack = new DisposableStack();
  const fd = openSync(`/proc/${child.pid}/ns/net`, "r");
  stack.defer(() => closeSync(fd));
  const pidfd = call("pidfd_open", undefined, SYS_pidfd_open, child.pid, 0);
  const take = (number: number): number => call("pidfd_getfd", undefined, SYS_pidfd_getfd, pidfd, number, 0);
  try {
    const taken = sockets.map((_, at) => {
      const inside = take(firstSocket + at);
      stack.defer(() => closeSync(inside));
      return inside;
    });
    const route = new NetlinkSocket(take(socket));
    stack.move();
    const dispose = (): void => {
      route[Symbol.dispose]();
      // In a thread of the pool: when it is the last reference, the kernel takes its time.
      close(fd, () => undefined);
    };
    return { fd, route, sockets: taken, [Symbol.dispose]: dispose };
  } finally {
    closeFd(pidfd);
  }
}

/** The child that holds a new namespace; it ends when it is disposed. `socket` is the number of its routing socket. */
function startKeeper(
  sockets: readonly LocalAddress[],
): AsyncDisposable & { readonly pid: number; readonly socket: Promise<number> } {
  const hold = pipe();
  const status = pipe();
  const none = openSync("/dev/null", "r+");
  const words = sockets.flatMap(({ kind, address, port }) => [kind, address, String(port)]);
  const reports = new Socket({ fd: status.read, readable: true, writable: false });
  try {
    const pid = spawnProcess([none, none, none, hold.read, status.write], "netns", words);
    return {
      pid,
      socket: socketNumber(reports),
      [Symbol.asyncDispose]: async () => {
        closeFd(hold.write);
        reports.destroy();
        await waitFor(pid);
      },
    };
  } catch (error) {
    reports.destroy();
    closeFd(hold.write);
    throw error;
  } finally {
    for (const end of [hold.read, status.write, none]) closeFd(end);
  }
}

async function socketNumber(reports: Socket): Promise<number> {
  const ended = once(reports, "end").then(() => Buffer.alloc(0));
  ended.catch(() => undefined);
  const report = await Promise.race([once(reports, "data").then(([data]: unknown[]) => data), ended]);
  const size = report instanceof Buffer ? report.byteLength : 0;
  if (report instanceof Buffer && size >= 16 && report.readUInt32LE(0) === reportStarted) return report.readUInt32LE(4);
  const errno = report instanceof Buffer && size >= 16 ? errnoByNumber(report.readUInt32LE(8)) : "its child ended";
  throw new TsbuildError(`Cannot make a network namespace: ${errno}`, { code: "E_NETWORK_NAMESPACE" });
}
