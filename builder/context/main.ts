import { open } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { TsbuildError } from "../../native/errors.ts";
import { newestFile } from "./newest.ts";
import { findDockerfile, findIgnore, openContextDirectory, type FoundDockerfile } from "./dockerfile.ts";
import { readDockerfile, unpackInto } from "./file.ts";
import { dockerfileInside } from "./inside.ts";
import type { RemoteContext } from "./remote.ts";
import type { ContextDirectory } from "./trees.ts";
import type { Workspace } from "./workspace.ts";

/** The build context and its Dockerfile. */
export interface MainContext extends ContextDirectory {
  /** Names the project from build to build: the directory, or where the context came from. */
  readonly id: string;
  readonly file: FoundDockerfile;
  /** Seconds since the epoch for SOURCE_DATE_EPOCH=context; undefined: it has no time. */
  readonly time: () => number | undefined;
}

/** As BuildOptions has it. */
export interface ContextRequest {
  readonly context: string;
  readonly dockerfile: string | undefined;
  readonly stdin: AsyncIterable<Uint8Array> | undefined;
  /** What the context's URL gave. */
  readonly remote: RemoteContext | undefined;
  readonly workspace: Workspace;
  readonly signal: AbortSignal;
}

const noTime = (): undefined => undefined;

/**
 * Opens the context: a directory, or for "-" and URLs an archive (tar, plain or compressed by gzip, bzip2, xz or zstd)
 * or a Dockerfile without any context, and for git the files of a commit. As with BuildKit no ignore file counts in an
 * archive or a repository: who made it chose.
 * @throws E_CONTEXT, E_CONTEXT_STDIN, E_DOCKERFILE_NOT_FOUND, E_DOCKERFILE_SIZE, E_TAR_*, E_COMPRESSION
 */
export async function openMainContext(request: ContextRequest): Promise<MainContext> {
  const { context, dockerfile, remote } = request;
  if (context === "-" && dockerfile === "-") {
    throw new TsbuildError("Cannot read both the build context and the Dockerfile from standard input", {
      code: "E_CONTEXT_STDIN",
      hint: "give one of them a name: tsbuild -f Dockerfile - < context.tar",
    });
  }
  if (remote?.directory !== undefined) return await openTree(remote.id, remote.directory, remote, request);
  if (remote?.path !== undefined) return await openFile(remote.id, remote.path, request);
  if (context === "-") return await openFile("-", await spoolInput(request), request);
  const directory = openContextDirectory(context);
  const file = dockerfile === "-" ? await stdinDockerfile(request) : findDockerfile(directory, dockerfile);
  return { id: directory, directory, file, ignore: findIgnore(directory, file.path), time: noTime };
}

/** Files of a commit. */
async function openTree(
  id: string,
  directory: string,
  { modified }: RemoteContext,
  request: ContextRequest,
): Promise<MainContext> {
  const file = await dockerfileOf(directory, request);
  return { id, directory, ignore: undefined, file, time: () => modified };
}

/** A context that came as one file. */
async function openFile(id: string, path: string, request: ContextRequest): Promise<MainContext> {
  const { dockerfile, remote, workspace, signal } = request;
  const modified = remote?.modified;
  const directory = workspace.directory();
  const common = { id, directory, ignore: undefined, keepOwners: true, temporary: true };
  if (await unpackInto(path, directory, signal)) {
    const time = (): number | undefined => modified ?? (id === "-" ? undefined : newestFile(directory));
    return { ...common, file: await dockerfileOf(directory, request), time };
  }
  if (dockerfile !== undefined) {
    throw new TsbuildError(`Cannot use -f ${dockerfile}: what came as the context is a Dockerfile itself`, {
      code: "E_CONTEXT_STDIN",
      hint: "leave out -f, or give an archive or a directory as the context",
    });
  }
  const file = { path: id, name: "Dockerfile", bytes: readDockerfile(path, "the context") };
  return { ...common, file, time: () => modified };
}

/** Of a context from elsewhere: inside of it, but `-` is standard input and, with a URL, an absolute path the host's. */
async function dockerfileOf(directory: string, request: ContextRequest): Promise<FoundDockerfile> {
  const { dockerfile, remote } = request;
  if (dockerfile === "-") return await stdinDockerfile(request);
  if (remote !== undefined && dockerfile !== undefined && isAbsolute(dockerfile))
    return findDockerfile("/", dockerfile);
  return dockerfileInside(directory, dockerfile);
}

async function stdinDockerfile(request: ContextRequest): Promise<FoundDockerfile> {
  return { path: "-", name: "Dockerfile", bytes: readDockerfile(await spoolInput(request), "standard input") };
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
