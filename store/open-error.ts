import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { TsbuildError } from "../native/errors.ts";
import { lockHolders } from "./lock-holders.ts";

/** What to do about a disk without space; prune has a reserve to work with. */
const freeSome =
  "free some: tsbuild prune, or tsbuild prune --all for the whole cache; or use another disk: --root DIR";
/** Fewer free bytes than this, and a database that cannot write lacks space. */
const hardlyAny = 128 << 10;

/** The byte of `-shm` that a writer locks. @see https://sqlite.org/walformat.html#wal_locks */
const writersByte = 120;

/** SQLite's primary result codes. @see https://sqlite.org/rescode.html */
const result = { busy: 5, locked: 6, readOnly: 8, io: 10, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 };

/** An error of SQLite about the records in `file` as one of ours; other errors as they are. */
export function recordsError(error: unknown, file: string): unknown {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return error;
  const options = { cause: error, notes: [`SQLite: ${error.message}`] };
  switch (error.errcode & 0xff) {
    case result.busy:
    case result.locked: {
      const holders = lockHolders(`${file}-shm`, writersByte);
      return new TsbuildError(`Cannot use the store's records in ${file}: another process writes to them`, {
        ...options,
        ...(holders.length === 0 ? {} : { notes: [...options.notes, `they are locked by ${holders.join(", ")}`] }),
        code: "E_STORE_BUSY",
        hint: "try again when that process has ended",
      });
    }
    case result.readOnly:
      return readOnly(dirname(file), error);
    case result.corrupt:
    case result.notADatabase:
      return new TsbuildError(`Cannot use the store's records in ${file}: the file is damaged`, {
        ...options,
        code: "E_STORE_OPEN",
        hint: `begin with a new store: mv ${dirname(file)} ${dirname(file)}.damaged   (images have to be pulled or built again)`,
      });
    case result.full:
      return noSpace(dirname(file), error);
    case result.io:
    case result.cannotOpen:
      if (freeBytes(dirname(file)) < hardlyAny) return noSpace(dirname(file), error);
      return new TsbuildError(`Cannot use the store's records in ${file}: they cannot be read or written`, {
        ...options,
        code: "E_STORE_OPEN",
        hint: "check the disk and the owner of that file, or use another store: --root DIR",
      });
    default:
      return error;
  }
}

/** An error of node:fs while the store in `root` is opened as one of ours. */
export function openError(error: unknown, root: string): unknown {
  if (!(error instanceof Error) || !("code" in error) || error instanceof TsbuildError) return error;
  switch (error.code) {
    case "EROFS":
      return readOnly(root, error);
    case "ENOSPC":
    case "EDQUOT":
      return noSpace(root, error);
    default:
      return new TsbuildError(`Cannot open the store in ${root}: ${String(error.code)}`, {
        code: "E_STORE_OPEN",
        cause: error,
        hint: "choose a directory that can be written: --root DIR or TSBUILD_ROOT",
      });
  }
}

/** Bytes that this process may still write to the file system of `path`; Infinity if nobody knows. */
export function freeBytes(path: string): number {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return Infinity;
  }
}

function noSpace(root: string, cause: Error): TsbuildError {
  return new TsbuildError(`Cannot write to the store in ${root}: no space is left on its disk`, {
    code: "E_NO_SPACE",
    cause,
    hint: freeSome,
  });
}

function readOnly(root: string, cause: Error): TsbuildError {
  return new TsbuildError(`Cannot open the store in ${root}: its file system is read-only`, {
    code: "E_READ_ONLY",
    cause,
    hint: "put the store elsewhere: --root DIR or TSBUILD_ROOT",
  });
}
