import { once } from "node:events";
import {
  createWriteStream,
  existsSync,
  lstatSync,
  open,
  readlinkSync,
  statSync,
  write as writeFd,
  writeFileSync,
  writev,
  type WriteStream,
} from "node:fs";
import { dirname, isAbsolute } from "node:path";
import { promisify } from "node:util";
import { makeDirectories } from "./directory.ts";
import { SyscallError, TsbuildError } from "./errors.ts";
import { openUnnamed } from "./unnamed-file.ts";

const maxLinks = 40;

/**
 * Writes a file that readers see whole or not at all: `write` fills a stream, then the file takes its place. A symbolic
 * link stays one; a device or a pipe is written to and not replaced. @throws E_OUTPUT_FILE, and what `write` throws
 */
export async function writeWhole(path: string, write: (stream: NodeJS.WritableStream) => Promise<void>): Promise<void> {
  const target = targetOf(path);
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

/** Makes a directory for results, unless it is there. @throws E_OUTPUT_FILE */
export function makeOutputDirectory(path: string): void {
  try {
    makeDirectories(path, 0o777);
  } catch (cause) {
    throw cannotWrite(path, cause);
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
    if (there === undefined) return path;
    if (there.isDirectory()) throw Object.assign(new Error("EISDIR"), { code: "EISDIR" });
    return there.isFile() ? endOfLinks(path) : undefined;
  } catch (cause) {
    throw cause instanceof TsbuildError ? cause : cannotWrite(path, cause);
  }
}

/**
 * Where symbolic links lead to. In a directory that everybody may write to those of other users are refused, as the
 * kernel does where it is asked to (protected_symlinks). @see proc_sys_fs(5)
 */
function endOfLinks(path: string): string {
  let at = path;
  for (let links = 0; links < maxLinks; links++) {
    const found = lstatSync(at, { throwIfNoEntry: false });
    if (found?.isSymbolicLink() !== true) return at;
    const around = statSync(dirname(at));
    const shared = (around.mode & 0o1002) === 0o1002;
    if (shared && found.uid !== process.geteuid?.() && found.uid !== around.uid) throw othersLink(path, at);
    const to = readlinkSync(at);
    at = isAbsolute(to) ? to : `${dirname(at)}/${to}`;
  }
  throw Object.assign(new Error("ELOOP"), { code: "ELOOP" });
}

function othersLink(path: string, link: string): TsbuildError {
  return new TsbuildError(`Cannot write ${path}: ${link} is a symbolic link of another user`, {
    code: "E_OUTPUT_FILE",
    hint: `rm ${link}   (or choose another place)`,
  });
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
