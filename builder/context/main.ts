import { closeSync, openSync, readFileSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { TsbuildError } from "../../native/errors.ts";
import { Root } from "../../native/path.ts";
import { archiveKind, extractArchive } from "../ops/copy/archive.ts";
import { findDockerfile, findIgnore, openContextDirectory, type FoundDockerfile } from "./dockerfile.ts";
import { dockerfileInside, maxDockerfile, tooLarge } from "./inside.ts";
import type { ContextDirectory } from "./trees.ts";
import type { Workspace } from "./workspace.ts";

/** The build context and its Dockerfile. */
export interface MainContext extends ContextDirectory {
  /** Names the project from build to build: the directory, or where the context came from. */
  readonly id: string;
  readonly file: FoundDockerfile;
}

/** As BuildOptions has it. */
export interface ContextRequest {
  readonly context: string;
  readonly dockerfile: string | undefined;
  readonly stdin: AsyncIterable<Uint8Array> | undefined;
  readonly workspace: Workspace;
  readonly signal: AbortSignal;
}

/**
 * Opens the context: a directory, or for "-" an archive (tar, plain or compressed by gzip, bzip2, xz or zstd) or a
 * Dockerfile without any context. As with BuildKit no ignore file counts in an archive: who packed it chose.
 * @throws E_CONTEXT, E_CONTEXT_STDIN, E_DOCKERFILE_NOT_FOUND, E_DOCKERFILE_SIZE, E_TAR_*, E_COMPRESSION
 */
export async function openMainContext(request: ContextRequest): Promise<MainContext> {
  const { context, dockerfile } = request;
  if (context === "-" && dockerfile === "-") {
    throw new TsbuildError("Cannot read both the build context and the Dockerfile from standard input", {
      code: "E_CONTEXT_STDIN",
      hint: "give one of them a name: tsbuild -f Dockerfile - < context.tar",
    });
  }
  if (context === "-") return await openFile(await spoolInput(request), "-", request);
  const directory = openContextDirectory(context);
  const file =
    dockerfile === "-"
      ? { path: "-", name: "Dockerfile", bytes: readDockerfile(await spoolInput(request), "standard input") }
      : findDockerfile(directory, dockerfile);
  return { id: directory, directory, file, ignore: findIgnore(directory, file.path) };
}

/** A context that came as one file. */
async function openFile(path: string, id: string, request: ContextRequest): Promise<MainContext> {
  const { dockerfile, workspace, signal } = request;
  const directory = workspace.directory();
  const common = { id, directory, ignore: undefined, keepOwners: true, temporary: true };
  if (await unpackFile(path, directory, signal)) return { ...common, file: dockerfileInside(directory, dockerfile) };
  if (dockerfile !== undefined) {
    throw new TsbuildError(`Cannot use -f ${dockerfile}: what came as the context is a Dockerfile itself`, {
      code: "E_CONTEXT_STDIN",
      hint: "leave out -f, or give an archive or a directory as the context",
    });
  }
  return { ...common, file: { path: id, name: "Dockerfile", bytes: readDockerfile(path, "the context") } };
}

/** Unpacks a tar archive into the directory, not outside of it; false when the file is none. */
async function unpackFile(path: string, directory: string, signal: AbortSignal): Promise<boolean> {
  const fd = openSync(path, "r");
  try {
    const compression = await archiveKind(fd);
    if (compression === undefined) return false;
    using root = Root.open(directory);
    await extractArchive({ fd, compression, root, signal });
    return true;
  } finally {
    closeSync(fd);
  }
}

function readDockerfile(path: string, name: string): Buffer {
  if (statSync(path).size > maxDockerfile) throw tooLarge(name);
  const bytes = readFileSync(path);
  if (!bytes.includes(0)) return bytes;
  throw new TsbuildError(`Cannot read ${name}: it is neither text nor an archive`, {
    code: "E_CONTEXT_STDIN",
    hint: "a context is a tar archive, plain or compressed by gzip, bzip2, xz or zstd",
  });
}

/** Standard input as a file, for it has to be looked at twice. */
async function spoolInput({ stdin, workspace, signal }: ContextRequest): Promise<string> {
  if (stdin === undefined) {
    throw new TsbuildError("Cannot read from standard input: there is none", {
      code: "E_CONTEXT_STDIN",
      hint: "give the library an `stdin`",
    });
  }
  const path = join(workspace.directory(), "input");
  await using file = await open(path, "wx", 0o600);
  for await (const chunk of untilAborted(stdin, signal)) await file.appendFile(chunk);
  if ((await file.stat()).size > 0) return path;
  throw new TsbuildError("Cannot build from standard input: it is empty", {
    code: "E_CONTEXT_STDIN",
    hint: "tsbuild - < context.tar, or tsbuild -f - DIR < Dockerfile",
  });
}

/** Ends when the signal is aborted, though the next chunk may never come. */
async function* untilAborted(bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  aborted.catch(() => undefined);
  const stop = (): void => reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  const source = bytes[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await Promise.race([source.next(), aborted]);
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
