import { TsbuildError } from "../../../native/errors.ts";
import type { Root } from "../../../native/path.ts";
import { readFd, seekFd } from "../../../native/syscall.ts";
import { Applier } from "../../../store/layer/apply.ts";
import { decompress, detectCompression, type Compression } from "../../../store/layer/compression.ts";
import { needsProgram, throughProgram } from "../../../store/layer/program.ts";
import { blockSize, fields, headerChecksum } from "../../../store/layer/tar/header.ts";
import { TarReader } from "../../../store/layer/tar/reader.ts";

const chunkSize = 1 << 20;

/** An open archive and how its entries land. */
export interface Extraction {
  readonly fd: number;
  readonly compression: Compression;
  readonly root: Root;
  /** Owner of everything; undefined: as in the archive. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  /** Modification time (ns) of directories that the archive does not name; default 0. */
  readonly createdTime?: bigint;
  readonly signal: AbortSignal;
}

/** Unpacks below the root and nowhere else. @throws E_TAR_*, E_COMPRESSION, E_LAYER_ENTRY */
export async function extractArchive(extraction: Extraction): Promise<void> {
  const { fd, compression, root, owner, createdTime = 0n, signal } = extraction;
  using applier = new Applier(root, { form: "literal", createdTime, ...(owner === undefined ? {} : { owner }) });
  const reader = new TarReader(applier);
  for await (const chunk of plainBytes(fd, compression, signal)) reader.push(chunk);
  reader.finish();
  applier.finish();
}

/** The compression of a tar archive; undefined when the file is no archive. */
export async function archiveKind(fd: number): Promise<Compression | undefined> {
  const head = Buffer.alloc(blockSize);
  const got = readFd(fd, head);
  seekFd(fd, 0);
  const compression = detectCompression(head.subarray(0, got));
  if (compression === "none") return got === blockSize && isTarHeader(head) ? "none" : undefined;
  try {
    for await (const chunk of plainBytes(fd, compression, new AbortController().signal)) {
      const first = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      return first.length >= blockSize && isTarHeader(first.subarray(0, blockSize)) ? compression : undefined;
    }
  } catch (error) {
    if (error instanceof TsbuildError && error.code === "E_COMPRESSION_PROGRAM") throw error;
  } finally {
    seekFd(fd, 0);
  }
  return undefined;
}

function isTarHeader(block: Buffer): boolean {
  const [at, length] = fields.checksum;
  const text = block
    .toString("latin1", at, at + length)
    .replace(/[\0 ]+$/, "")
    .trim();
  return /^[0-7]+$/.test(text) && Number.parseInt(text, 8) === headerChecksum(block);
}

/** The archive as plain tar. @throws E_COMPRESSION, E_COMPRESSION_PROGRAM */
async function* plainBytes(fd: number, compression: Compression, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  if (needsProgram(compression)) yield* throughProgram(fd, compression, signal);
  else yield* decompress(fileBytes(fd), signal);
}

async function* fileBytes(fd: number): AsyncGenerator<Uint8Array> {
  for (;;) {
    const chunk = Buffer.allocUnsafe(chunkSize);
    const got = readFd(fd, chunk);
    if (got === 0) return;
    yield chunk.subarray(0, got);
  }
}
