import { crc32, deflateRaw, constants, type ZlibOptions } from "node:zlib";
import { availableParallelism } from "node:os";
import { promisify } from "node:util";

const blockSize = 1 << 20;
const windowSize = 32 << 10;
/** Magic, deflate, no flags, no time, no extra flags, system unknown: nothing that differs from run to run. */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
/** The last, empty deflate block. */
const lastBlock = Buffer.from([0x03, 0x00]);

/**
 * gzip in parallel on libuv's pool: blocks of 1 MiB, each with the 32 KiB before it as dictionary, ended at a byte
 * boundary. The bytes depend on the input and the level only, not on the number of threads.
 */
export async function* gzip(
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: { readonly level?: number; readonly threads?: number } = {},
): AsyncGenerator<Uint8Array> {
  const { level = 6, threads = availableParallelism() } = options;
  const deflate = promisify<Uint8Array, ZlibOptions, Buffer>(deflateRaw);
  const running: Promise<Buffer>[] = [];
  let checksum = 0;
  let size = 0;
  let dictionary: Buffer | undefined;
  yield header;
  for await (const block of blocks(bytes)) {
    checksum = crc32(block, checksum);
    size += block.length;
    const finishFlush = constants.Z_SYNC_FLUSH;
    running.push(
      deflate(block, { level, finishFlush, chunkSize: blockSize, ...(dictionary === undefined ? {} : { dictionary }) }),
    );
    dictionary = block.subarray(Math.max(0, block.length - windowSize));
    const oldest = running.length > threads + 1 ? running.shift() : undefined;
    if (oldest !== undefined) yield await oldest;
  }
  for (const one of running) yield await one;
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(checksum, 0);
  trailer.writeUInt32LE(size % 2 ** 32, 4);
  yield Buffer.concat([lastBlock, trailer]);
}

/** The input in pieces of exactly 1 MiB, copied: the source may use its buffer again. */
async function* blocks(bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Buffer> {
  let block = Buffer.allocUnsafe(blockSize);
  let at = 0;
  for await (const chunk of bytes) {
    let rest = chunk;
    while (rest.byteLength > 0) {
      const part = rest.subarray(0, blockSize - at);
      block.set(part, at);
      at += part.byteLength;
      rest = rest.subarray(part.byteLength);
      if (at < blockSize) continue;
      yield block;
      block = Buffer.allocUnsafe(blockSize);
      at = 0;
    }
  }
  if (at > 0) yield block.subarray(0, at);
}
