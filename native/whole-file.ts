import { once } from "node:events";
import {
  createWriteStream,
  existsSync,
  fstatSync,
  open,
  statSync,
  write as writeFd,
  writeFileSync,
  writev,
  type WriteStream,
} from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { makeDirectories } from "./directory.ts";
import { SyscallError, TsbuildError } from "./errors.ts";
import { Root, type Dir } from "./path.ts";
import { resultPlace } from "./result-place.ts";
import { openUnnamed } from "./unnamed-file.ts";

/**
 * Writes a file that readers see whole or not at all: `write` fills a stream, then the file takes its place. A symbolic
 * link stays one; a device or a pipe is written to and not replaced. @throws E_OUTPUT_FILE, and what `write` throws
 */
export async function writeWhole(path: string, write: Writer): Promise<void> {
  await writeTo(path, targetOf(path), write);
}

/** As writeWhole(), below an open directory: a link that has the name is replaced and not followed. `path`: for messages. */
export async function writeWholeIn(dir: Dir, name: string, path: string, write: Writer): Promise<void> {
  await writeTo(path, `/proc/self/fd/${dir.fd}/${name}`, write);
}

type Writer = (stream: NodeJS.WritableStream) => Promise<void>;

/** `target`: undefined is what is to be written to as it is. */
async function writeTo(path: string, target: string | undefined, write: Writer): Promise<void> {
  using file = await attempt(path, () => (target === undefined ? undefined : openUnnamed(target, 0o666)));
  const fd = await attempt(path, () => file?.fd ?? promisify(open)(path, "w")); // of a pipe, as soon as somebody reads it
  const stream = createWriteStream("", file === undefined ? { fd } : { fd, fs: notClosing });
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  let broken: TsbuildError | undefined;
  stream.on("error", (cause) => {
    broken ??= cannotWrite(path, cause);
    failed.reject(broken);
  });
  const finished = once(stream, "finish");
  finished.catch(() => undefined);
  try {
    await Promise.race([write(stream), failed.promise]);
    stream.end();
    await Promise.race([finished, failed.promise]);
  } catch (error) {
    // What `write` says then is that its stream is gone, or what the stream will tell only when it is closed.
    throw broken ?? (stream.errored === null ? error : cannotWrite(path, stream.errored));
  } finally {
    // A pipe that nobody reads from is not waited for.
    if (file === undefined) stream.destroy();
    else await closing(stream);
  }
  await attempt(path, () => file?.place());
}

/** Of a stream that stops writing when it closes, whose descriptor stays open for the file's name. */
const notClosing = {
  open,
  write: writeFd,
  writev,
  close: (_fd: number, done: (error?: Error) => void): void => done(),
};

async function attempt<T>(path: string, act: () => T | Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
}

async function closing(stream: WriteStream): Promise<void> {
  if (stream.closed) return;
  const closed = new Promise((resolve) => stream.once("close", () => resolve(undefined)));
  stream.destroy();
  await closed;
}

/** As writeWhole(), of a text. @throws E_OUTPUT_FILE */
export function writeWholeText(path: string, text: string, mode = 0o666): void {
  const target = targetOf(path);
  try {
    if (target === undefined) return writeFileSync(path, text);
    using file = openUnnamed(target, mode);
    writeFileSync(file.fd, text);
    file.place();
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
}

/** Opens a directory for results, made unless it is there. Nobody can lead it elsewhere meanwhile. @throws E_OUTPUT_FILE */
export function openOutputDirectory(path: string): Root {
  try {
    makeDirectories(resultPlace(path).path, 0o777);
    const root = Root.open(path);
    const [found, { stat }] = [fstatSync(root.fd), resultPlace(path)];
    if (stat?.ino === found.ino && stat.dev === found.dev) return root;
    root[Symbol.dispose]();
    throw Object.assign(new Error("ESTALE"), { code: "ESTALE" });
  } catch (cause) {
    throw cause instanceof TsbuildError ? cause : cannotWrite(path, cause);
  }
}

/** A directory in one for results, made unless it is there; no link. `path`: for messages. @throws E_OUTPUT_FILE */
export function openOutputIn(dir: Dir, name: string, path: string): Dir {
  try {
    const there = dir.stat(name);
    if (there === undefined) dir.mkdir(name, 0o777);
    else if (there.type !== "directory") throw cannotWrite(path, there, there.type === "symlink" ? "ELOOP" : "EEXIST");
    return dir.openDir(name);
  } catch (cause) {
    throw cause instanceof TsbuildError ? cause : cannotWrite(path, cause);
  }
}

/** Does what writes below a directory for results. @throws E_OUTPUT_FILE when the directory's file system refuses */
export async function writingInto<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    const errno = cause instanceof SyscallError ? cause.errno : errnoOf(cause);
    throw errno === "ENOSPC" || errno === "EDQUOT" || errno === "EROFS" ? cannotWrite(path, cause, errno) : cause;
  }
}

/** Which file is replaced; undefined: what is there is none. */
function targetOf(path: string): string | undefined {
  try {
    const there = statSync(path, { throwIfNoEntry: false });
    // A link that leads nowhere is replaced.
    const place = resultPlace(there === undefined ? dirname(path) : path);
    if (there === undefined) return path;
    if (there.isDirectory()) throw Object.assign(new Error("EISDIR"), { code: "EISDIR" });
    return there.isFile() ? place.path : undefined;
  } catch (cause) {
    throw cause instanceof TsbuildError ? cause : cannotWrite(path, cause);
  }
}

function errnoOf(cause: unknown): string {
  if (cause instanceof SyscallError) return cause.errno;
  return cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
}

const hints: Readonly<Record<string, (path: string) => string>> = {
  ENOENT: (path) =>
    existsSync(dirname(path))
      ? `${dirname(path)} takes no files: choose another place`
      : `make its directory first: mkdir -p ${dirname(path)}`,
  ENOTDIR: (path) => `${dirname(path)} is no directory`,
  EEXIST: (path) => `${path} is a file: give a directory`,
  ELOOP: (path) => `${path} is a symbolic link: give a directory of its own`,
  ESTALE: (path) => `somebody exchanges what is at ${path}: choose another place`,
  EISDIR: () => "it is a directory: give the name of a file",
  EACCES: (path) => `choose a place that you may write to, or check ${dirname(path)}`,
  EPERM: (path) => `choose a place that you may write to, or check ${dirname(path)}`,
  EROFS: () => "the file system is read-only: choose another place",
  ENOSPC: (path) => `free space where ${path} is, or choose another place`,
  EDQUOT: () => "this user's disk quota is used up: choose another place",
};

function cannotWrite(path: string, cause: unknown, errno: string = errnoOf(cause)): TsbuildError {
  const hint = hints[errno]?.(path);
  return new TsbuildError(`Cannot write ${path}: ${errno}`, {
    code: "E_OUTPUT_FILE",
    cause,
    ...(hint === undefined ? {} : { hint }),
  });
}
