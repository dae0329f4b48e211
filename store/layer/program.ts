import { spawn } from "node:child_process";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { TsbuildError } from "../../native/errors.ts";
import { decompress, detectHead, type Compression } from "./compression.ts";

/** The programs that read what zlib does not; Debian's packages of them. */
const programs = { xz: "xz-utils", bzip2: "bzip2" } as const;
/** All that they see of the environment: no variable with a secret, none that changes what they do (XZ_OPT). */
const env = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" };

/** What a program of the machine decompresses. */
export type ProgramCompression = keyof typeof programs;

export function needsProgram(compression: Compression): compression is ProgramCompression {
  return compression === "xz" || compression === "bzip2";
}

/** The plain bytes of a stream, whatever compressed it. @throws E_COMPRESSION, E_COMPRESSION_PROGRAM */
export async function* decompressAny(
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const { compression, whole } = await detectHead(bytes);
  yield* needsProgram(compression) ? throughProgram(whole, compression, signal) : decompress(whole, signal);
}

/**
 * The plain bytes of what is compressed by xz or bzip2: of an open file from where it stands, or of a stream.
 * @throws E_COMPRESSION, E_COMPRESSION_PROGRAM
 */
export async function* throughProgram(
  input: number | AsyncIterable<Uint8Array>,
  program: ProgramCompression,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const fromFile = typeof input === "number";
  const child = spawn(program, ["-dc"], {
    stdio: [fromFile ? input : "pipe", "pipe", "ignore"],
    cwd: "/",
    env,
    signal,
  });
  const { promise: ended, resolve, reject } = Promise.withResolvers<number | null>();
  child.on("error", (error) => reject(signal?.aborted === true ? error : missingProgram(program, error)));
  child.on("close", resolve);
  ended.catch(() => undefined);
  const feeding = fromFile || child.stdin === null ? undefined : pipeline(Readable.from(input), child.stdin);
  // It may have had enough before the end; that the input failed is told after what it made of it.
  feeding?.catch(() => undefined);
  let complete = false;
  try {
    if (child.stdout !== null) for await (const chunk of child.stdout) yield chunk;
    complete = true;
  } finally {
    if (!complete) {
      child.kill("SIGKILL");
      // It reads from the same place of the file as who comes after it.
      await ended.catch(() => undefined);
    }
  }
  const code = await ended;
  await feeding?.catch((error: unknown) => {
    if (!isClosedPipe(error)) throw error;
  });
  if (code !== 0)
    throw new TsbuildError(`Cannot unpack: ${program} says the archive is damaged`, { code: "E_COMPRESSION" });
}

function isClosedPipe(error: unknown): boolean {
  return (
    error instanceof Error && "code" in error && (error.code === "EPIPE" || error.code === "ERR_STREAM_PREMATURE_CLOSE")
  );
}

function missingProgram(program: ProgramCompression, cause: Error): TsbuildError {
  return new TsbuildError(`Cannot unpack: the program ${program} is not on this machine`, {
    code: "E_COMPRESSION_PROGRAM",
    cause,
    hint: `install it: apt-get install ${programs[program]}`,
  });
}
