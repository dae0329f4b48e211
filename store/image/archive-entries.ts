import { posix } from "node:path";
import { Readable } from "node:stream";
import { extract, type Header } from "tar-stream";
import { TsbuildError } from "../../native/errors.ts";
import { decompressAny } from "../layer/program.ts";
import { archiveError } from "./archive-error.ts";
import type { StagedBlobs, StagedFile } from "./staged.ts";

/** Files of an archive by their path. */
export type ArchiveEntries = ReadonlyMap<string, StagedFile>;

const maxLinks = 10;

/** Writes down every file of an archive, plain or compressed. @throws E_ARCHIVE_INVALID, E_DIGEST_MISMATCH, E_COMPRESSION */
export async function stageEntries(
  staged: StagedBlobs,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<ArchiveEntries> {
  const files = new Map<string, StagedFile>();
  const links = new Map<string, string>();
  const archive = extract();
  const source = Readable.from(decompressAny(bytes, signal));
  source.on("error", (error) => archive.destroy(error));
  source.pipe(archive);
  try {
    for await (const entry of archive) {
      signal?.throwIfAborted();
      const { header } = entry;
      const name = plainName(header.name);
      // What comes later under the same name is what is meant.
      links.delete(name);
      if (header.type === "symlink" || header.type === "link") {
        files.delete(name);
        links.set(name, linkTarget(name, header));
        entry.resume();
      } else if (header.type === "file" || header.type === "contiguous-file")
        files.set(name, await stageFile(staged, name, bytesOf(entry)));
      else entry.resume();
    }
  } catch (error) {
    const failedCall = error instanceof Error && "syscall" in error; // the disk is full, say
    if (error instanceof TsbuildError || failedCall || signal?.aborted === true) throw error;
    throw archiveError("it is not a tar archive, or it is cut off", error);
  }
  for (const name of links.keys()) {
    const found = files.get(follow(links, name));
    if (found !== undefined) files.set(name, found);
  }
  return files;
}

/** docker's old archives link layers that several images share. */
function follow(links: ReadonlyMap<string, string>, name: string): string {
  let at = name;
  for (let count = 0; count < maxLinks; count++) at = links.get(at) ?? at;
  return at;
}

function linkTarget(name: string, { type, linkname }: Header): string {
  const target = linkname ?? "";
  return plainName(type === "link" ? target : posix.resolve("/", posix.dirname(name), target));
}

/** Without what leads nowhere: `./blobs//x` -> `blobs/x`. */
function plainName(name: string): string {
  return posix.resolve("/", name).slice(1);
}

async function* bytesOf(stream: AsyncIterable<unknown>): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) if (chunk instanceof Uint8Array) yield chunk;
}

async function stageFile(staged: StagedBlobs, name: string, bytes: AsyncIterable<Uint8Array>): Promise<StagedFile> {
  const [, algorithm, hex] = /^blobs\/(sha256|sha512)\/([0-9a-f]+)$/.exec(name) ?? [];
  const file = await staged.add(bytes, algorithm === "sha512" ? "sha512" : "sha256");
  if (algorithm === undefined || file.digest === `${algorithm}:${hex}`) return file;
  throw new TsbuildError(`Cannot load the archive: ${name} has digest ${file.digest}`, {
    code: "E_DIGEST_MISMATCH",
    hint: "the archive is damaged: make or fetch it again",
  });
}
