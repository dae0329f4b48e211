import { spawn } from "node:child_process";
import { TsbuildError } from "../../../native/errors.ts";
import { openFlags, type Root } from "../../../native/path.ts";
import { closeFd, readFd, seekFd } from "../../../native/syscall.ts";
import { Applier } from "../../../store/layer/apply.ts";
import { decompress, detectCompression, type Compression } from "../../../store/layer/compression.ts";
import { blockSize, fields, headerChecksum } from "../../../store/layer/tar/header.ts";
import { TarReader } from "../../../store/layer/tar/reader.ts";
import type { Copier } from "./copier.ts";
import { parentInRoot, resolveInRoot } from "./resolve.ts";
import type { Source } from "./sources.ts";
import type { SourceTree } from "./tree.ts";

const chunkSize = 1 << 20;
/** The programs that read what zlib does not. */
const programs = { xz: "xz", bzip2: "bzip2" } as const;

/** One source of an ADD and where its entries would go. */
export interface Unpacking {
  readonly tree: SourceTree;
  readonly source: Source;
  readonly copier: Copier;
  readonly dest: string;
  readonly target: Root;
  /** --chown: of everything in the archive. Modes stay as they are there. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  readonly signal: AbortSignal;
}

/**
 * Unpacks the source into the destination directory if it is a tar archive, plain or compressed by gzip, bzip2, xz or
 * zstd; false when it is none and has to be copied. @throws E_TAR_*, E_COMPRESSION, E_LAYER_ENTRY
 */
export async function unpackArchive(unpacking: Unpacking): Promise<boolean> {
  const { tree, source, copier, dest, target, owner, signal } = unpacking;
  if (source.stat.type !== "file" || source.stat.size < 10) return false;
  const found = parentInRoot(tree.root, source.resolved);
  if (found === undefined) return false;
  using dir = found.dir;
  const fd = dir.openFile(found.name, openFlags.read);
  try {
    const compression = await archiveKind(fd);
    if (compression === undefined) return false;
    const directory = resolveInRoot(target, dest);
    copier.makeDirs(directory, 0o755);
    using root = target.subRoot(directory);
    using applier = new Applier(root, { form: "literal", ...(owner === undefined ? {} : { owner }) });
    const reader = new TarReader(applier);
    for await (const chunk of plainBytes(fd, compression, signal)) reader.push(chunk);
    reader.finish();
    applier.finish();
    return true;
  } finally {
    closeFd(fd);
  }
}

/** The compression of a tar archive; undefined when the file is no archive. */
async function archiveKind(fd: number): Promise<Compression | undefined> {
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

async function* plainBytes(fd: number, compression: Compression, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  if (compression === "xz" || compression === "bzip2") yield* throughProgram(fd, compression, signal);
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

async function* throughProgram(
  fd: number,
  compression: "xz" | "bzip2",
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const program = programs[compression];
  const child = spawn(program, ["-dc"], { stdio: [fd, "pipe", "ignore"], signal });
  const { promise: ended, resolve, reject } = Promise.withResolvers<number | null>();
  child.on("error", (error) => reject(missingProgram(program, error)));
  child.on("close", resolve);
  ended.catch(() => undefined);
  let complete = false;
  try {
    if (child.stdout !== null) for await (const chunk of child.stdout) yield chunk;
    complete = true;
  } finally {
    if (!complete) child.kill("SIGKILL");
  }
  if ((await ended) !== 0) {
    throw new TsbuildError(`Cannot unpack: ${program} says the archive is damaged`, { code: "E_COMPRESSION" });
  }
}

function missingProgram(program: string, cause: Error): TsbuildError {
  return new TsbuildError(`Cannot unpack: the program ${program} is not on this machine`, {
    code: "E_COMPRESSION_PROGRAM",
    cause,
    hint: `install it: apt-get install ${program === "xz" ? "xz-utils" : program}`,
  });
}
