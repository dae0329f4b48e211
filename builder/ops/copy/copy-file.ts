import { copyBytes } from "../../../native/copy-bytes.ts";
import { copyFdXattr, listFdXattrs } from "../../../native/fd-xattr.ts";
import { setFdMode, setFdOwner, setFdTime } from "../../../native/file.ts";
import { openFlags, statFd, type Dir } from "../../../native/path.ts";
import { closeFd } from "../../../native/syscall.ts";
import { copiedXattr } from "./hash-file.ts";

/** What a copied file gets; mode 0-0o7777, time in nanoseconds. */
export interface FileMetadata {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly mtime: bigint;
}

/**
 * What files get in a directory when nothing else is said, by the mode asked for: umask, setgid and default ACLs make
 * of it what they will, but the same for each file. Spares two calls for each that gets what it should have at once.
 */
export class CreationDefaults {
  readonly #known = new Map<number, Omit<FileMetadata, "mtime">>();

  /** `fd`: a file just made in the directory with the mode. */
  of(fd: number, mode: number): Omit<FileMetadata, "mtime"> {
    const known = this.#known.get(mode) ?? statFd(fd);
    this.#known.set(mode, known);
    return known;
  }
}

/** Copies a regular file to a name that is free, with its attributes; all by descriptors, which spares look-ups. */
export function copyFile(
  from: { readonly dir: Dir; readonly name: string; readonly size: number },
  to: { readonly dir: Dir; readonly name: string; readonly defaults: CreationDefaults },
  metadata: FileMetadata,
): void {
  const source = from.dir.openFile(from.name, openFlags.read);
  try {
    const asked = metadata.mode & 0o777;
    const target = to.dir.openFile(to.name, openFlags.createNew, asked);
    try {
      const got = to.defaults.of(target, asked);
      copyBytes(source, target, from.size);
      // Owner first: chown clears setuid bits and file capabilities.
      const owned = got.uid === metadata.uid && got.gid === metadata.gid;
      if (!owned) setFdOwner(target, metadata.uid, metadata.gid);
      if (got.mode !== metadata.mode) setFdMode(target, metadata.mode);
      for (const key of listFdXattrs(source)) if (copiedXattr(key)) copyFdXattr(source, target, key);
      setFdTime(target, metadata.mtime);
    } finally {
      closeFd(target);
    }
  } finally {
    closeFd(source);
  }
}
