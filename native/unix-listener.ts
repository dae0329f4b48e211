import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { call, closeFd } from "./syscall.ts";

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
/** Connections at a time; more are closed at once. */
const maxConnections = 64;

/** A socket that another process binds, and that this one accepts connections from. */
export interface UnixListener extends AsyncDisposable {
  readonly fd: number;
  /** Begins to accept; by now the descriptor must be bound. */
  accept(connected: (connection: Socket) => void): void;
}

/** Dispose ends every connection. @throws SyscallError */
export function openUnixListener(): UnixListener {
  const fd = call("socket", undefined, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  let accepting: Accepting | undefined;
  let open = true;
  return {
    fd,
    accept: (connected) => {
      accepting = new Accepting(connected);
      accepting.server.listen({ fd });
    },
    [Symbol.asyncDispose]: async () => {
      if (accepting !== undefined) await accepting.end();
      else if (open) closeFd(fd);
      open = false;
    },
  };
}

/** Listens at a new path, which goes with the dispose, as every connection does. @throws an Error of node:net */
export async function listenAt(path: string, connected: (connection: Socket) => void): Promise<AsyncDisposable> {
  const accepting = new Accepting(connected);
  accepting.server.listen({ path });
  await once(accepting.server, "listening");
  return { [Symbol.asyncDispose]: async () => await accepting.end() };
}

class Accepting {
  readonly server: Server = createServer({ allowHalfOpen: true });
  readonly #connections = new Set<Socket>();

  constructor(connected: (connection: Socket) => void) {
    this.server.maxConnections = maxConnections;
    this.server.on("connection", (connection: Socket) => {
      this.#connections.add(connection);
      connection.on("close", () => this.#connections.delete(connection)).on("error", () => connection.destroy());
      connected(connection);
    });
  }

  async end(): Promise<void> {
    const closed = this.server.listening ? once(this.server, "close") : undefined;
    this.server.close();
    for (const connection of this.#connections) connection.destroy();
    await closed;
  }
}
