import { Socket } from "node:net";
import { closeFd, pipe } from "../../native/syscall.ts";
import type { Digest } from "../../store/oci/digest.ts";
import type { ProgressSink } from "../graph/events.ts";
import type { SecretMask } from "../inputs/secrets/secret-mask.ts";
import { TerminalLines, withoutColors } from "../base/terminal-lines.ts";
import { now } from "../../native/clock.ts";

/** Bytes kept for the error of a step that fails. */
const tailSize = 4096;
const tailLines = 8;

/** The pipes behind a step's stdout and stderr: what comes is emitted as log events without secrets, and the end is kept. */
export class LogPipes implements AsyncDisposable {
  readonly stdout: number;
  readonly stderr: number;
  readonly #ended: readonly Promise<void>[];
  readonly #sockets: readonly Socket[];
  #writersOpen = true;
  #tail = Buffer.alloc(0);

  constructor(options: { readonly digest: Digest; readonly emit: ProgressSink; readonly mask: SecretMask }) {
    const [out, err] = [pipe(), pipe()];
    this.stdout = out.write;
    this.stderr = err.write;
    this.#sockets = [out.read, err.read].map((fd) => new Socket({ fd, readable: true, writable: false }));
    this.#ended = this.#sockets.map(
      (socket, at) =>
        new Promise((resolve) => {
          const masked = options.mask.stream();
          const show = (data: Buffer): void => {
            if (data.length === 0) return;
            this.#keep(data);
            options.emit({ kind: "log", digest: options.digest, time: now(), stream: at === 0 ? 1 : 2, data });
          };
          socket.on("data", (data: Buffer) => show(masked.push(data)));
          socket.on("error", () => resolve());
          socket.on("close", () => {
            show(masked.end());
            resolve();
          });
        }),
    );
  }

  /** To be called when the child has its copies: the pipes end when the last process has closed them. */
  closeWriters(): void {
    if (!this.#writersOpen) return;
    this.#writersOpen = false;
    closeFd(this.stdout);
    closeFd(this.stderr);
  }

  /** Resolves when everything written was emitted. */
  async drained(): Promise<void> {
    this.closeWriters();
    await Promise.all(this.#ended);
  }

  /** The last lines, as text: no colours, and of lines that were written over one another the last. */
  tail(): readonly string[] {
    const output = new TerminalLines();
    const whole = output.push(this.#tail);
    const rest = output.end();
    const all = rest === "" ? whole : [...whole, { text: rest, returned: false }];
    const lines = all
      .filter(({ returned }, at) => !returned || at === all.length - 1)
      .map(({ text }) => withoutColors(text));
    return lines.filter((line) => line.trim() !== "").slice(-tailLines);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.closeWriters();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#ended);
  }

  #keep(data: Buffer): void {
    const joined = Buffer.concat([this.#tail, data]);
    this.#tail = joined.subarray(Math.max(0, joined.length - tailSize));
  }
}
