import type { Socket } from "node:net";
import { WireError, wireU32 } from "./wire.ts";

/** Bytes of the longest message, as ssh-agent has it. */
export const maxMessage: number = 256 << 10;

/** The messages of an agent's connection as they come; no more than one and a chunk of the next is held. @throws WireError */
export async function* readMessages(connection: Socket): AsyncGenerator<Buffer, void> {
  const frames = new FrameBuffer();
  for await (const chunk of connection) {
    frames.add(chunk);
    for (let message = frames.next(); message !== undefined; message = frames.next()) yield message;
  }
}

/** Resolves when the bytes are handed on, rejects when the connection is gone. */
export async function writeMessage(connection: Socket, message: Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    connection.write(Buffer.concat([wireU32(message.byteLength), message]), (error) =>
      error instanceof Error ? reject(error) : resolve(),
    );
  });
}

/** Grows by doubling: bytes that come one by one are not copied again each time. */
class FrameBuffer {
  #bytes = Buffer.alloc(4096);
  #from = 0;
  #to = 0;

  add(chunk: Uint8Array): void {
    if (this.#to + chunk.byteLength > this.#bytes.length) this.#makeRoom(chunk.byteLength);
    this.#bytes.set(chunk, this.#to);
    this.#to += chunk.byteLength;
  }

  /** The next whole message; undefined: more has to come. */
  next(): Buffer | undefined {
    const held = this.#to - this.#from;
    if (held < 4) return undefined;
    const size = this.#bytes.readUInt32BE(this.#from);
    if (size === 0 || size > maxMessage) throw new WireError(`a message of ${size} bytes`);
    if (held < 4 + size) return undefined;
    const start = this.#from + 4;
    this.#from = start + size;
    return Buffer.from(this.#bytes.subarray(start, start + size));
  }

  #makeRoom(more: number): void {
    const held = this.#bytes.subarray(this.#from, this.#to);
    const size = held.length + more;
    const target = size * 2 <= this.#bytes.length ? this.#bytes : Buffer.alloc(size * 2);
    target.set(held);
    this.#bytes = target;
    this.#to = held.length;
    this.#from = 0;
  }
}
