import { read, write } from "node:fs";
import { promisify } from "node:util";
import type { Container } from "../../../runtime/index.ts";
import { passOn } from "../terminal/output.ts";
import { terminalSize } from "../terminal/terminal-size.ts";

const readFrom = promisify(read);
const writeTo = promisify(write);

/** The user's terminal joined to a container's; `drained` = all of the program's output was written. */
export interface AttachedTerminal extends AsyncDisposable {
  readonly drained: Promise<void>;
}

/** Joins standard input (raw, if `interactive`) and output to the container's terminal until it ends. */
export function attachTerminal(container: Container, interactive: boolean): AttachedTerminal {
  const { terminal: master } = container;
  if (master === undefined) throw new TypeError("The container has no terminal");
  const stdin = process.stdin;
  const raw = interactive && stdin.isTTY;
  const restore = (): void => {
    if (raw) stdin.setRawMode(false);
  };
  const resized = (): void => {
    const { columns, rows } = terminalSize(process.stdout);
    container.resize(columns, rows);
  };
  let sending = Promise.resolve();
  const typed = (chunk: Buffer): void => {
    sending = sending.then(async () => await sendAll(master, chunk)).catch(() => undefined); // it has ended
  };
  if (raw) stdin.setRawMode(true);
  if (interactive) stdin.on("data", typed);
  process.stdout.on("resize", resized);
  process.once("exit", restore);
  return {
    drained: drain(master),
    [Symbol.asyncDispose]: async () => {
      restore();
      process.off("exit", restore);
      process.stdout.off("resize", resized);
      stdin.off("data", typed);
      stdin.pause();
    },
  };
}

/** Until every process has closed the terminal: the read fails with EIO then. @see pty(7) */
async function drain(master: number): Promise<void> {
  const buffer = Buffer.alloc(1 << 16);
  for (;;) {
    const bytesRead = await readFrom(master, buffer, 0, buffer.length, null).then(
      (result) => result.bytesRead,
      () => 0,
    );
    if (bytesRead === 0) return;
    passOn(buffer.subarray(0, bytesRead));
  }
}

async function sendAll(master: number, chunk: Buffer): Promise<void> {
  for (let sent = 0; sent < chunk.length;) {
    sent += (await writeTo(master, chunk, sent, chunk.length - sent, null)).bytesWritten;
  }
}
