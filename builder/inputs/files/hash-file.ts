import { createHash } from "node:crypto";
import { extentAt, worthAsking } from "../../../native/extents.ts";
import { openFlags, type Dir } from "../../../native/path.ts";
import { closeFd, readFd } from "../../../native/syscall.ts";

const buffer = Buffer.allocUnsafe(1 << 20);

/** Hex sha256 of a regular file's bytes and, where they count and it has any, of its attributes. */
export function hashFile(
  dir: Dir,
  name: string,
  file: { readonly size: number; readonly attributes: boolean },
): string {
  const content = hashContent(dir, name, file.size);
  const attributes = file.attributes ? xattrs(dir, name) : [];
  if (attributes.length === 0) return content;
  return createHash("sha256")
    .update(JSON.stringify([content, attributes]))
    .digest("hex");
}

function hashContent(dir: Dir, name: string, size: number): string {
  const fd = dir.openFile(name, openFlags.read);
  try {
    if (size >= worthAsking && isSparse(fd, size)) return hashSparse(fd, size);
    const hash = createHash("sha256");
    let left = size;
    // One that is empty by its metadata may be of /proc.
    for (let got = readFd(fd, buffer); got > 0; got = left === 0 ? 0 : readFd(fd, buffer)) {
      hash.update(buffer.subarray(0, got));
      left -= got;
    }
    return hash.digest("hex");
  } finally {
    closeFd(fd);
  }
}

function isSparse(fd: number, size: number): boolean {
  const { hole, end } = extentAt(fd, 0, size);
  return hole || end < size;
}

/** Of holes only where they are: the zeros of 300 GB would take minutes. A file with the same bytes and other holes differs. */
function hashSparse(fd: number, size: number): string {
  const hash = createHash("sha256");
  for (let at = 0; at < size;) {
    const { hole, end } = extentAt(fd, at, size);
    hash.update(`${hole ? "hole" : "data"} ${end - at}\n`);
    for (let left = hole ? 0 : end - at; left > 0;) {
      const got = readFd(fd, buffer.subarray(0, Math.min(left, buffer.length)));
      if (got === 0) break;
      hash.update(buffer.subarray(0, got));
      left -= got;
    }
    at = end;
  }
  // What is no sparse file cannot have this digest.
  return createHash("sha256")
    .update(JSON.stringify(["sparse", hash.digest("hex")]))
    .digest("hex");
}

/** The attributes that a copy keeps, as text in the order of their names. */
export function xattrs(dir: Dir, name: string): readonly string[] {
  return dir
    .listxattr(name)
    .filter(copiedXattr)
    .toSorted()
    .map((key) => `${key}=${Buffer.from(dir.getxattr(name, key) ?? []).toString("base64")}`);
}

/** Attributes that a copy keeps: not those of the kernel and of overlayfs, but file capabilities. @see features C3 */
export function copiedXattr(key: string): boolean {
  return key === "security.capability" || !/^(?:security\.|system\.|trusted\.|user\.overlay\.)/.test(key);
}
