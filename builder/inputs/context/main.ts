import { copyFile } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { TsbuildError } from "../../../native/errors.ts";
import { newestFile } from "./newest.ts";
import { findDockerfile, openContextDirectory, readPlace, type FoundDockerfile } from "./dockerfile.ts";
import { readDockerfile, readFetched, unpackInto } from "./file.ts";
import { inArchive } from "./local.ts";
import { findIgnore } from "./ignore-file.ts";
import { dockerfileInside } from "./inside.ts";
import type { RemoteContext, RemoteDockerfile } from "./remote.ts";
import { checkReaders, spoolInput, spoolPipe } from "./spool.ts";
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
  /** What a `dockerfile` that is a URL gave. */
  readonly remoteDockerfile: RemoteDockerfile | undefined;
  readonly workspace: Workspace;
  readonly signal: AbortSignal;
}

const repositoryHint = "if it is a git repository, its URL ends with .git: tsbuild https://host/repository.git";
const noContext = "the Dockerfile came without files: tsbuild -f - DIR < Dockerfile";
const noTime = (): undefined => undefined;

/**
 * Opens the context: a directory, or for "-" and URLs an archive (tar, plain or compressed by gzip, bzip2, xz or zstd)
 * or a Dockerfile without any context, and for git the files of a commit. As with BuildKit no ignore file counts in an
 * archive or a repository: who made it chose.
 * @throws E_CONTEXT, E_CONTEXT_STDIN, E_DOCKERFILE_NOT_FOUND, E_DOCKERFILE_SIZE, E_TAR_*, E_COMPRESSION
 */
export async function openMainContext(request: ContextRequest): Promise<MainContext> {
  const { context, dockerfile, remote, remoteDockerfile } = request;
  checkReaders(request);
  if (remote?.directory !== undefined) return await openTree(remote.id, remote.directory, remote, request);
  if (remote?.path !== undefined) return await openFile(remote.id, remote.path, request);
  if (context === "-") return await openFile("-", await spoolInput(request), request);
  const directory = openContextDirectory(context);
  const file = (await dockerfileElsewhere(request)) ?? (await hostDockerfile(directory, request));
  const own = dockerfile === "-" || remoteDockerfile !== undefined ? undefined : file.path;
  return { id: directory, directory, file, ignore: findIgnore(directory, own), time: noTime };
}

/** Files of a commit. */
async function openTree(
  id: string,
  directory: string,
  { modified }: RemoteContext,
  request: ContextRequest,
): Promise<MainContext> {
  const file = await dockerfileOf(directory, request);
  return { id, directory, ignore: undefined, file, time: () => modified, whereToLook: inArchive };
}

/** A context that came as one file. */
async function openFile(id: string, path: string, request: ContextRequest): Promise<MainContext> {
  const { dockerfile, remote, workspace, signal } = request;
  const modified = remote?.modified;
  const directory = workspace.directory();
  const common = { id, directory, ignore: undefined, keepOwners: true, temporary: true };
  if (await unpackInto(path, directory, signal)) {
    const time = (): number | undefined => modified ?? (id === "-" ? undefined : newestFile(directory));
    return { ...common, file: await dockerfileOf(directory, request), time, whereToLook: inArchive };
  }
  if (dockerfile !== undefined && !isInside(request)) {
    throw new TsbuildError(`Cannot use -f ${dockerfile}: what came as the context is a Dockerfile itself`, {
      code: "E_CONTEXT_STDIN",
      hint: "leave out -f, or give an archive or a directory as the context",
    });
  }
  const bytes = id === "-" ? readDockerfile(path, "the context") : readFetched(path, id, repositoryHint);
  const file = { path: id, name: "Dockerfile", bytes };
  // As with BuildKit what a URL gave is there as a file of this name.
  if (id !== "-") await copyFile(path, join(directory, "context"));
  return { ...common, file, time: () => modified, whereToLook: noContext };
}

/**
 * Whether the Dockerfile is a name inside of what a URL gives: as with BuildKit nobody asks for it where that is a
 * Dockerfile itself.
 */
function isInside({ context, dockerfile, remoteDockerfile }: ContextRequest): boolean {
  const named = dockerfile !== undefined && dockerfile !== "-" && !isAbsolute(dockerfile);
  return context !== "-" && remoteDockerfile === undefined && named;
}

/** Of a context from elsewhere: inside of it, or with a URL the host's when the path is absolute. */
async function dockerfileOf(directory: string, request: ContextRequest): Promise<FoundDockerfile> {
  const { dockerfile, remote } = request;
  const elsewhere = await dockerfileElsewhere(request);
  if (elsewhere !== undefined) return elsewhere;
  if (remote !== undefined && dockerfile !== undefined && isAbsolute(dockerfile))
    return await hostDockerfile("/", request);
  return dockerfileInside(directory, dockerfile);
}

/** One that is on standard input or was fetched. */
async function dockerfileElsewhere(request: ContextRequest): Promise<FoundDockerfile | undefined> {
  const { dockerfile, remoteDockerfile } = request;
  if (remoteDockerfile !== undefined) {
    const { id, path } = remoteDockerfile;
    return {
      path: id,
      name: "Dockerfile",
      bytes: readFetched(path, id, "give the URL of the file itself, as raw text"),
    };
  }
  if (dockerfile !== "-") return undefined;
  const name = "standard input";
  return { path: "-", name: "Dockerfile", bytes: readDockerfile(await spoolInput(request, name), name) };
}

async function hostDockerfile(context: string, request: ContextRequest): Promise<FoundDockerfile> {
  const place = findDockerfile(context, request.dockerfile);
  if (!place.pipe) return readPlace(place);
  const { path, name } = place;
  return { path, name, bytes: readDockerfile(await spoolPipe(path, name, request), name) };
}
