import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { readMessages, writeMessage } from "../../builder/inputs/ssh/frames.ts";
import { WireReader, wireString, wireU32 } from "../../builder/inputs/ssh/wire.ts";
import { listenAt } from "../../native/unix-listener.ts";

/** A client of an agent. */
export class AgentClient implements Disposable {
  readonly #connection: Socket;
  readonly #messages: AsyncGenerator<Buffer, void>;

  constructor(path: string) {
    this.#connection = connect({ path });
    this.#connection.on("error", () => undefined);
    this.#messages = readMessages(this.#connection);
  }

  /** What the agent says next; undefined: it hung up. */
  async answer(): Promise<Buffer | undefined> {
    const next = await this.#messages.next().catch(() => undefined);
    return next === undefined || next.done === true ? undefined : next.value;
  }

  async ask(message: Uint8Array): Promise<Buffer | undefined> {
    await writeMessage(this.#connection, message).catch(() => undefined);
    return await this.answer();
  }

  /** Bytes as they are. */
  write(bytes: Uint8Array): void {
    this.#connection.write(bytes);
  }

  /** The public keys in SSH's form. */
  async keys(): Promise<readonly Buffer[]> {
    const answer = await this.ask(Buffer.of(11));
    if (answer?.[0] !== 12) throw new Error(`the agent said ${answer?.toString("hex")}`);
    const reader = new WireReader(answer.subarray(1));
    const blobs = Array.from({ length: reader.u32() }, () => ({ blob: reader.string(), comment: reader.string() }));
    reader.end();
    if (blobs.some(({ comment }) => comment.length > 0)) throw new Error("the agent tells comments");
    return blobs.map(({ blob }) => blob);
  }

  /** Name and value of the signature; undefined: refused. */
  async sign(
    blob: Buffer,
    data: Uint8Array,
    flags: number = 0,
  ): Promise<{ readonly name: string; readonly value: Buffer } | undefined> {
    const answer = await this.ask(signRequest(blob, data, flags));
    if (answer?.[0] !== 14) return undefined;
    const reader = new WireReader(new WireReader(answer.subarray(1)).string());
    return { name: reader.string().toString(), value: reader.string() };
  }

  [Symbol.dispose](): void {
    this.#connection.destroy();
  }
}

export function signRequest(blob: Uint8Array, data: Uint8Array, flags: number): Buffer {
  return Buffer.concat([Buffer.of(13), wireString(blob), wireString(data), wireU32(flags)]);
}

/** An agent that gives the same answers to everybody, in turn, and keeps what it was asked. */
export class ScriptedAgent implements AsyncDisposable {
  readonly path: string;
  readonly asked: Buffer[] = [];
  /** Connections that are open now. */
  readonly connections: Set<Socket> = new Set();
  readonly #listener: AsyncDisposable;

  private constructor(path: string, listener: AsyncDisposable) {
    this.path = path;
    this.#listener = listener;
  }

  static async start(directory: string, answers: readonly Uint8Array[]): Promise<ScriptedAgent> {
    const path = join(directory, "agent.sock");
    const told: { agent?: ScriptedAgent } = {};
    const listener = await listenAt(path, (connection) => void told.agent?.serve(connection, answers));
    return (told.agent = new ScriptedAgent(path, listener));
  }

  async serve(connection: Socket, answers: readonly Uint8Array[]): Promise<void> {
    this.connections.add(connection);
    connection.on("close", () => this.connections.delete(connection));
    try {
      for await (const message of readMessages(connection)) {
        this.asked.push(message);
        await writeMessage(connection, answers[(this.asked.length - 1) % answers.length] ?? Buffer.of(5));
      }
    } catch {
      // The other side is gone.
    }
    connection.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener[Symbol.asyncDispose]();
  }
}
