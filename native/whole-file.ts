import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, lstatSync, readlinkSync, renameSync, rmSync, statSync, writeFileSync, type Stats } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname, isAbsolute } from "node:path";
import { makeDirectories } from "./directory.ts";
import { SyscallError, TsbuildError } from "./errors.ts";

const maxLinks = 40;

/** Where the bytes of a file go: beside it first, or for what is no file (a device, a pipe) straight there. */
interface Place {
  readonly target: string;
  readonly temporary: string | undefined;
}

/**
 * Writes a file that readers see whole or not at all: `write` fills a stream, then the file takes its place. A symbolic
 * link stays one; a device or a pipe is written to and not replaced. @throws E_OUTPUT_FILE, and what `write` throws
 */
export async function writeWhole(path: string, write: (stream: NodeJS.WritableStream) => Promise<void>): Promise<void> {
  const { target, temporary } = placeOf(path);
  const handle = await open(temporary ?? target, temporary === undefined ? "w" : "wx").catch((cause: unknown) => {
    throw cannotWrite(path, cause);
  });
  const stream = handle.createWriteStream();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  let broken: TsbuildError | undefined;
  stream.on("error", (cause) => {
    broken ??= cannotWrite(path, cause);
    failed.reject(broken);
  });
  try {
    await Promise.race([write(stream), failed.promise]);
    stream.end();
    await Promise.race([once(stream, "close"), failed.promise]);
    if (temporary !== undefined) await rename(temporary, target);
  } catch (error) {
    // What `write` says then is that its stream is gone, or what the stream will tell only when it is closed.
    throw broken ?? (stream.errored === null ? error : cannotWrite(path, stream.errored));
  } finally {
    stream.destroy();
    if (temporary !== undefined) await rm(temporary, { force: true });
  }
}

/** As writeWhole(), of a text. @throws E_OUTPUT_FILE */
export function writeWholeText(path: string, text: string, mode = 0o666): void {
  const { target, temporary } = placeOf(path);
  try {
    writeFileSync(temporary ?? target, text, { mode, flag: temporary === undefined ? "w" : "wx" });
    if (temporary !== undefined) renameSync(temporary, target);
  } catch (cause) {
    if (temporary !== undefined) rmSync(temporary, { force: true });
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

function placeOf(path: string): Place {
  const there = kindOf(path);
  if (there?.isDirectory() === true) throw cannotWrite(path, Object.assign(new Error("EISDIR"), { code: "EISDIR" }));
  const target = there === undefined ? path : endOfLinks(path);
  if (there !== undefined && !there.isFile()) return { target: path, temporary: undefined };
  return { target, temporary: temporaryName(target) };
}

/** Nobody can have put anything there. */
export function temporaryName(path: string): string {
  return `${path}.${randomBytes(6).toString("hex")}.tmp`;
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

function kindOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
}

function errnoOf(cause: unknown): string {
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
