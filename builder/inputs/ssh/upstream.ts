import { connect, type Socket } from "node:net";
import { checkedAnswer, encodeRequest, type AgentSession } from "./agent.ts";
import { readMessages, writeMessage } from "./frames.ts";

/** A session with an agent that listens at a path; a connection is made for the first request. */
export function upstreamSession(path: string): AgentSession {
  const opened = new OpenedOnce(path);
  return {
    answer: async (request) => {
      const { connection, messages } = opened.get();
      await writeMessage(connection, encodeRequest(request));
      const answer = await messages.next();
      if (answer.done === true) throw new Error("the agent closed the connection");
      return checkedAnswer(request, answer.value);
    },
    [Symbol.dispose]: () => opened.close(),
  };
}

interface Opened {
  readonly connection: Socket;
  readonly messages: AsyncGenerator<Buffer, void>;
}

class OpenedOnce {
  readonly #path: string;
  #opened: Opened | undefined;
  #closed = false;

  constructor(path: string) {
    this.#path = path;
  }

  get(): Opened {
    if (this.#closed) throw new Error("the session has ended");
    if (this.#opened === undefined) {
      const connection = connect({ path: this.#path });
      // Whoever waits for it is told by its end.
      connection.on("error", () => connection.destroy());
      this.#opened = { connection, messages: readMessages(connection) };
    }
    return this.#opened;
  }

  close(): void {
    this.#closed = true;
    this.#opened?.connection.destroy();
  }
}

/** Joins a client and a socket at a path, byte for byte, until both have said all. */
export function forwardBytes(client: Socket, path: string): void {
  const server = connect({ path, allowHalfOpen: true });
  client.pipe(server).pipe(client);
  for (const [one, other] of [
    [client, server],
    [server, client],
  ] as const) {
    one.on("error", () => one.destroy());
    one.on("close", () => (one.readableEnded && one.writableFinished ? undefined : other.destroy()));
  }
}
