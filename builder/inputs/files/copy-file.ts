import { copyBytes } from "../../../native/copy-bytes.ts";
import { copyFdXattr, listFdXattrs } from "../../../native/fd-xattr.ts";
import { setFdTime } from "../../../native/file.ts";
import { creationMode, setOwnership, type CreationDefaults, type Ownership } from "../../../native/new-file.ts";
import { openFlags, type Dir } from "../../../native/path.ts";
import { closeFd } from "../../../native/syscall.ts";
import { copiedXattr } from "./hash-file.ts";

/** What a copied file gets; time in nanoseconds. */
export interface FileMetadata extends Ownership {
  readonly mtime: bigint;
}

/** Copies a regular file to a name that is free; all by descriptors, which spares look-ups. */
export function copyFile(
  from: { readonly dir: Dir; readonly name: string; readonly size: number; readonly attributes: boolean },
  to: { readonly dir: Dir; readonly name: string; readonly defaults: CreationDefaults },
  metadata: FileMetadata,
): void {
  const source = from.dir.openFile(from.name, openFlags.read);
  try {
    const asked = creationMode(metadata.mode);
    const target = to.dir.openFile(to.name, openFlags.createNew, asked);
    try {
      const got = to.defaults.of(target, asked);
      copyBytes(source, target, from.size);
      setOwnership(target, got, metadata);
      const keys = from.attributes ? listFdXattrs(source).filter(copiedXattr) : [];
      for (const key of keys) copyFdXattr(source, target, key);
      setFdTime(target, metadata.mtime);
    } finally {
      closeFd(target);
    }
  } finally {
    closeFd(source);
  }
}
