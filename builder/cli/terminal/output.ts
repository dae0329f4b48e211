import { writeSync } from "node:fs";
import { Writable } from "node:stream";
import { TsbuildError } from "../../../native/errors.ts";
import { terminalText } from "../../base/terminal-lines.ts";
import { disarmed } from "../ci/disarm.ts";
import type { CiService } from "../ci/folding.ts";

/** Where text goes: 1 the result, 2 all else. Tests give one that collects. */
export interface Output {
  /** Results only: IDs, digests, tables, JSON. */
  result(text: string): void;
  /** Progress, summaries, warnings and errors. */
  notice(text: string): void;
  /**
   * On standard error, what a terminal or a CI service is to obey: frames, folds, annotations. Whoever writes it has made
   * the text of others in it harmless.
   */
  control(text: string): void;
}

/** The reader of standard output is gone (`tsbuild images | head -1`): not a failure of ours. */
export class BrokenPipe extends Error {
  override readonly name: string = "BrokenPipe";
}

/**
 * Writes to the process's own descriptors 1 and 2, in order and without a buffer. Results and notices quote others, so no
 * terminal and no CI service obeys them: of control characters they have newlines, tabs and colours.
 */
export function processOutput(service?: CiService): Output {
  const inert = (text: string): string => disarmed(terminalText(text), service);
  return {
    result: (text) => writeAll(1, inert(text)),
    notice: (text) => tell(inert(text)),
    control: tell,
  };
}

/** The output of a program that the user runs, byte by byte. */
export function passOn(bytes: Uint8Array): void {
  writeAll(1, bytes);
}

function tell(text: string): void {
  try {
    writeAll(2, text);
  } catch (error) {
    if (!(error instanceof BrokenPipe || error instanceof TsbuildError)) throw error; // nobody reads it: the work goes on
  }
}

const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** All of it, also to a non-blocking pipe that is full; EPIPE arrives here and not as an event later. */
function writeAll(fd: number, text: string | Uint8Array): void {
  let bytes: Uint8Array = typeof text === "string" ? Buffer.from(text) : text;
  while (bytes.length > 0) {
    try {
      bytes = bytes.subarray(writeSync(fd, bytes));
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "EPIPE") throw new BrokenPipe("The reader is gone", { cause: error });
      if (code !== "EAGAIN") throw cannotWrite(fd, error);
      Atomics.wait(sleeper, 0, 0, 5);
    }
  }
}

function cannotWrite(fd: number, cause: unknown): TsbuildError {
  const errno = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
  return new TsbuildError(`Cannot write to standard ${fd === 1 ? "output" : "error"}: ${errno}`, {
    code: "E_OUTPUT_FILE",
    cause,
    hint: "check where the output goes",
  });
}

/** Standard output as a stream, for archives: fails with BrokenPipe or E_OUTPUT_FILE at the write that fails. */
export function resultStream(): NodeJS.WritableStream {
  const stream = new Writable({
    write: (chunk: Uint8Array, _encoding, done) => {
      try {
        writeAll(1, chunk);
      } catch (error) {
        done(error instanceof Error ? error : new Error(String(error)));
        return;
      }
      done(); // nothing is ever waiting to be written: the process may end at once
    },
  });
  return stream.on("error", () => undefined); // who writes is told
}
