import type { RunStreams } from "../options/run-streams.ts";
import { Socket } from "node:net";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { errorMessage, TsbuildError } from "../../native/errors.ts";
import { closeFd, pipe } from "../../native/syscall.ts";
import type { Stdio } from "../../runtime/index.ts";

/** The pipes between a container and streams. */
export class StreamPipes implements AsyncDisposable {
  readonly stdio: Stdio;
  /** The container's ends, until it has its copies. */
  readonly #given: number[] = [];
  readonly #sockets: Socket[] = [];
  readonly #written: Promise<void>;
  #read: Promise<void> = Promise.resolve();
  #stdin: Socket | undefined;

  constructor({ stdin, stdout = process.stdout, stderr = process.stderr }: RunStreams) {
    const outputs = [this.#output(stdout), this.#output(stderr)] as const;
    this.stdio = {
      stdin: stdin === undefined ? "null" : this.#input(stdin),
      stdout: outputs[0].fd,
      stderr: outputs[1].fd,
      own: true,
    };
    this.#written = Promise.all(outputs.map(({ written }) => written)).then(() => {
      for (const stream of new Set([stdout, stderr])) if (!isOwn(stream)) stream.end();
    });
    this.#written.catch(() => undefined);
  }

  /** To be called when the container has its copies: the pipes end with its last process. */
  started(): void {
    for (const fd of this.#given.splice(0)) closeFd(fd);
  }

  /** After the container's end: resolves when all of its output was written. @throws E_OUTPUT_FILE, what its input failed with */
  async drained(): Promise<void> {
    this.#stdin?.destroy();
    await this.#written;
    await this.#read;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.started();
    for (const socket of [...this.#sockets, this.#stdin]) socket?.destroy();
    await Promise.allSettled([this.#written, this.#read]);
  }

  #output(stream: NodeJS.WritableStream): { readonly fd: number; readonly written: Promise<void> } {
    const { read, write } = pipe();
    this.#given.push(write);
    const socket = new Socket({ fd: read, readable: true, writable: false });
    this.#sockets.push(socket);
    // It may stay open for somebody else.
    const written = pipeline(socket, stream as Writable, { end: false }).catch((cause: unknown) => {
      socket.destroy();
      throw cannotWrite(cause);
    });
    written.catch(() => undefined);
    return { fd: write, written };
  }

  #input(source: AsyncIterable<Uint8Array | string>): number {
    const { read, write } = pipe();
    this.#given.push(read);
    const socket = new Socket({ fd: write, readable: false, writable: true });
    this.#stdin = socket;
    const bytes = watched(source);
    // A command need not read all of it.
    this.#read = pipeline(Readable.from(bytes.chunks), socket).catch(() => {
      const failure = bytes.failure();
      if (failure !== undefined) throw failure;
    });
    this.#read.catch(() => undefined);
    return read;
  }
}

/** The chunks of a source, and what it failed with itself: not because nobody reads it any more. */
function watched<T>(source: AsyncIterable<T>): {
  readonly chunks: AsyncIterable<T>;
  readonly failure: () => Error | undefined;
} {
  let failure: Error | undefined;
  async function* chunks(): AsyncGenerator<T> {
    const iterator = source[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await iterator.next().catch((error: unknown) => {
          failure = error instanceof Error ? error : new Error(String(error));
          throw failure;
        });
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await iterator.return?.();
    }
  }
  return { chunks: chunks(), failure: () => failure };
}

function isOwn(stream: NodeJS.WritableStream): boolean {
  return stream === process.stdout || stream === process.stderr;
}

function cannotWrite(cause: unknown): TsbuildError {
  return new TsbuildError(`Cannot write what the container printed: ${errorMessage(cause)}`, {
    code: "E_OUTPUT_FILE",
    cause,
    hint: "check the stream that its output goes to",
  });
}
