import { createGunzip, createZstdDecompress } from "node:zlib";
import type { Duplex } from "node:stream";
import type { Cancellation } from "../../native/cancellation.ts";
import { TsbuildError } from "../../native/errors.ts";

export type Compression = "none" | "gzip" | "zstd" | "bzip2" | "xz";

const magics: readonly (readonly [Compression, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b, 0x08]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
];
/** With zlib's default of 16 KiB gunzip runs at half the speed. */
const bufferSize = 1 << 20;

/** What the first bytes of a file say. */
export function detectCompression(head: Uint8Array): Compression {
  const found = magics.find(([, magic]) => magic.every((byte, at) => head[at] === byte));
  return found?.[0] ?? "none";
}

/** What a stream is compressed with, and the stream with its first bytes. */
export async function detectHead(
  bytes: AsyncIterable<Uint8Array>,
): Promise<{ readonly compression: Compression; readonly whole: AsyncGenerator<Uint8Array> }> {
  const source = bytes[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let size = 0;
  while (size < 6) {
    const next = await source.next();
    if (next.done === true) break;
    head.push(next.value);
    size += next.value.byteLength;
  }
  return { compression: detectCompression(Buffer.concat(head)), whole: rest(head, source) };
}

/** The uncompressed bytes. @throws E_COMPRESSION for damaged input and for what layers may not be compressed with */
export async function* decompress(bytes: AsyncIterable<Uint8Array>, signal?: Cancellation): AsyncGenerator<Uint8Array> {
  const { compression, whole } = await detectHead(bytes);
  if (compression === "none") return yield* whole;
  yield* through(whole, decompressor(compression), signal);
}

function decompressor(compression: Compression): Duplex {
  if (compression === "gzip") return createGunzip({ chunkSize: bufferSize });
  if (compression === "zstd") return createZstdDecompress({ chunkSize: bufferSize });
  throw new TsbuildError(`Cannot decompress ${compression}: layers are gzip, zstd or plain`, {
    code: "E_COMPRESSION",
    hint: "pack it anew with gzip or zstd",
  });
}

async function* rest(head: readonly Uint8Array[], source: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* head;
    for (let next = await source.next(); next.done !== true; next = await source.next()) yield next.value;
  } finally {
    await source.return?.();
  }
}

async function* through(
  bytes: AsyncIterable<Uint8Array>,
  stream: Duplex,
  signal: Cancellation | undefined,
): AsyncGenerator<Uint8Array> {
  const feeding = feed(bytes, stream);
  try {
    for await (const chunk of stream) {
      signal?.throwIfAborted();
      yield chunk;
    }
    await feeding;
  } catch (error) {
    if (error instanceof TsbuildError || signal?.aborted === true) throw error;
    throw new TsbuildError("Cannot decompress: the data is damaged or cut off", {
      code: "E_COMPRESSION",
      cause: error,
      hint: "make or fetch it again",
    });
  } finally {
    stream.destroy();
    await feeding.catch(() => undefined);
  }
}

async function feed(bytes: AsyncIterable<Uint8Array>, stream: Duplex): Promise<void> {
  try {
    for await (const chunk of bytes) {
      if (stream.destroyed) return;
      if (!stream.write(chunk)) await drained(stream);
    }
    stream.end();
  } catch (error) {
    stream.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

async function drained(stream: Duplex): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      stream.off("drain", done);
      stream.off("close", done);
      resolve();
    };
    stream.on("drain", done);
    stream.on("close", done);
  });
}
