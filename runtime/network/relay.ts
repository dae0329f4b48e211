import { createSocket, type Socket as Datagrams } from "node:dgram";
import { connect, createServer, type Socket } from "node:net";
import type { LocalAddress } from "../../native/netns.ts";

/** An address inside of a container's network, and the service of the host that answers there. */
export interface Relay {
  readonly inside: LocalAddress;
  readonly host: string;
  readonly port: number;
}

/** A container may keep this many conversations open with each service. */
const most = { tcp: 256, udp: 256 } as const;
/** Milliseconds after which a question is given up: the C library asks again after five seconds. */
const patience = 10_000;
const shortestQuestion = 12;

/** Passes on what comes to a bound socket, until disposed. Takes the socket over. */
export function openRelay(fd: number, relay: Relay): Disposable {
  return relay.inside.kind === "tcp" ? relayConnections(fd, relay) : relayQuestions(fd, relay);
}

function relayConnections(fd: number, { host, port }: Relay): Disposable {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ host, port, allowHalfOpen: true });
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(socket);
      socket.pipe(other);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        open.delete(socket);
        if (socket.errored !== null || !socket.readableEnded) other.destroy();
      });
    }
  });
  server.maxConnections = most.tcp;
  // One whose other end cannot be listened for serves nobody: the container's connections are refused.
  server.on("error", () => undefined);
  server.listen({ fd });
  return {
    [Symbol.dispose]: () => {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

/** Each question has a socket of its own, so that an answer cannot come to another. */
function relayQuestions(fd: number, { inside, host, port }: Relay): Disposable {
  const family = inside.address.includes(":") ? "udp6" : "udp4";
  const near = createSocket(family);
  const open = new Set<Disposable>();
  near.on("error", () => undefined);
  near.on("message", (question, from) => {
    // Nothing can be sent to port 0, which a raw socket can have a packet come from.
    if (open.size >= most.udp || question.byteLength < shortestQuestion || from.port === 0) return;
    const asked = ask(question, { host, port }, (answer) => {
      near.send(answer, from.port, from.address, () => undefined);
    });
    open.add(asked.resource);
    void asked.ended.then(() => open.delete(asked.resource));
  });
  near.bind({ fd });
  return {
    [Symbol.dispose]: () => {
      near.close();
      for (const one of open) one[Symbol.dispose]();
    },
  };
}

function ask(
  question: Buffer,
  { host, port }: Pick<Relay, "host" | "port">,
  tell: (answer: Buffer) => void,
): { readonly resource: Disposable; readonly ended: Promise<void> } {
  const far: Datagrams = createSocket(host.includes(":") ? "udp6" : "udp4");
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  let over = false;
  const end = (): void => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    far.close();
    resolve();
  };
  const timer = setTimeout(end, patience);
  const fail = (): void => {
    if (!over) tell(serverFailure(question));
    end();
  };
  far.on("error", fail);
  far.on("message", (answer) => {
    if (answer.byteLength < 2 || answer.readUInt16BE(0) !== question.readUInt16BE(0)) return;
    if (!over) tell(answer);
    end();
  });
  far.connect(port, host, (refused?: unknown) => {
    if (refused !== undefined) fail();
    else if (!over) far.send(question, (error) => (error === null ? undefined : fail()));
  });
  return { resource: { [Symbol.dispose]: end }, ended };
}

/** The question as an answer: SERVFAIL, so that nobody waits for a server that is not there. @see RFC 1035 4.1.1 */
function serverFailure(question: Buffer): Buffer {
  const answer = Buffer.from(question);
  answer.writeUInt8(answer.readUInt8(2) | 0x80, 2);
  answer.writeUInt8((answer.readUInt8(3) & 0xf0) | 2, 3);
  return answer;
}
