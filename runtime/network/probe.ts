import { createSocket } from "node:dgram";
import type { LocalAddress } from "../../native/netns.ts";

/** Of a network for documentation, which nobody has (RFC 5737): a rule of ours answers for it on the way out. */
export const probeAddress: Buffer = Buffer.from([198, 51, 100, 1]);
/** The socket that a probe needs inside. */
export const probeSocket: LocalAddress = { kind: "udp", address: "0.0.0.0", port: 0 };
const discardPort = 9;
/** Milliseconds. An interface that was raised just now may lose a packet; without a firewall the next one is answered. */
const patience = { each: 2, tries: 500 } as const;

/**
 * Whether a packet from inside comes through all that the host does with packets it forwards. It never leaves the host.
 * Takes the socket over.
 */
export async function isForwarded(fd: number): Promise<boolean> {
  const socket = createSocket("udp4");
  const { promise, resolve } = Promise.withResolvers<boolean>();
  // Our rule answers with what no firewall says by itself: "no such protocol".
  const answered = (error: Error | null): void => {
    if (error !== null && "code" in error) resolve(error.code === "ENOPROTOOPT");
  };
  const send = (): void => socket.send("probe", answered);
  let tries = 0;
  const timer = setInterval(() => (tries++ < patience.tries ? send() : resolve(false)), patience.each);
  socket.on("error", answered);
  socket.bind({ fd });
  socket.connect(discardPort, [...probeAddress].join("."), send);
  try {
    return await promise;
  } finally {
    clearInterval(timer);
    socket.close();
  }
}
