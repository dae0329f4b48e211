import { SyscallError, TsbuildError } from "../../native/errors.ts";
import { openFlags, type Dir, type Root, type Stat } from "../../native/path.ts";
import { truncateFd } from "../../native/copy-bytes.ts";
import { setFileMetadata } from "../../native/file.ts";
import { closeFd, seekFd, writeFd } from "../../native/syscall.ts";
import { canOwn, inUserNamespace, unmappedError } from "../../native/user-namespace.ts";
import type { EntryStat } from "./change.ts";
import type { TarEntry, TarHandler } from "./tar/reader.ts";
import { isOverlayXattr, opaqueMarker, opaqueXattr, whiteoutPrefix } from "./whiteout.ts";

/**
 * How entries land: "overlay" makes a layer directory (whiteouts become 0/0 devices), "literal" writes what the
 * archive says, whiteout names and all, over what is there (ADD).
 */
export interface ApplyOptions {
  readonly form: "overlay" | "literal";
  /** Owner of everything; undefined: as in the archive. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
}

/**
 * Writes the entries of an archive below a directory, inside it only: names are cleaned, parents are never followed
 * through symlinks in an overlay layer (where they can only be an attack) and only inside the root otherwise.
 * @throws E_LAYER_ENTRY for entries that cannot be meant well
 */
export class Applier implements TarHandler, Disposable {
  readonly #root: Root;
  readonly #options: ApplyOptions;
  #parent: { readonly path: string; readonly dir: Dir } | undefined;
  #file: OpenFile | undefined;
  #ownRoot = false;
  /** Times of directories: set at the end, for their content changes them. */
  readonly #times = new Map<string, bigint>();

  constructor(root: Root, options: ApplyOptions) {
    this.#root = root;
    this.#options = options;
  }

  /** Whether an entry for the root directory itself came. */
  get ownRoot(): boolean {
    return this.#ownRoot;
  }

  entry(entry: TarEntry): void {
    const parts = cleanParts(entry.path);
    const name = parts.pop();
    if (name === undefined) return this.#rootEntry(entry.stat);
    const path = [...parts, name].join("/");
    this.#checkOwner(path, entry.stat);
    const dir = this.#openParent(parts);
    if (this.#options.form === "overlay" && name.startsWith(whiteoutPrefix)) return this.#whiteout(dir, parts, name);
    this.#make(dir, name, path, entry);
  }

  data(bytes: Uint8Array): void {
    this.#file?.write(bytes);
  }

  end(): void {
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    const { dir, name, stat } = file;
    const { uid, gid } = this.#options.owner ?? stat;
    file.finish({ uid, gid, mode: stat.mode, mtime: stat.mtime });
    if (stat.xattrs === undefined) return;
    this.#setMetadata(dir, name, stat);
    dir.utimens(name, stat.mtime);
  }

  /** To be called once after the last entry. */
  finish(): void {
    this.#closeParent();
    for (const [path, time] of [...this.#times].toReversed()) {
      try {
        const { dir, name } = this.#root.parent(path);
        using parent = dir;
        if (parent.stat(name)?.type === "directory") parent.utimens(name, time);
      } catch (error) {
        // A later entry took the directory away again.
        if (!(error instanceof SyscallError) || (error.errno !== "ENOENT" && error.errno !== "ENOTDIR")) throw error;
      }
    }
  }

  [Symbol.dispose](): void {
    this.#file?.close();
    this.#file = undefined;
    this.#closeParent();
  }

  /** The kernel would only say EINVAL. */
  #checkOwner(path: string, { uid, gid }: EntryStat): void {
    if (this.#options.owner === undefined && inUserNamespace() && !canOwn(uid, gid))
      throw unmappedError(`Cannot unpack /${path}: its owner`, uid, gid);
  }

  #rootEntry(stat: EntryStat): void {
    if (stat.type !== "directory" || this.#options.form === "literal") return;
    const { uid, gid } = this.#options.owner ?? stat;
    this.#root.chown(".", uid, gid);
    this.#root.chmod(".", stat.mode);
    this.#ownRoot = true;
  }

  #whiteout(dir: Dir, parts: readonly string[], name: string): void {
    if (name === opaqueMarker) {
      dir.setxattr(".", opaqueXattr(), Buffer.from("y"));
      return;
    }
    const hidden = name.slice(whiteoutPrefix.length);
    if (hidden === "" || hidden === "." || hidden === "..")
      throw refused([...parts, name].join("/"), "it hides nothing");
    // Docker's own bookkeeping names (.wh..wh.*) are not files of the image.
    if (hidden.startsWith(whiteoutPrefix)) return;
    dir.removeTree(hidden);
    dir.mknod(hidden, "char", 0, 0, 0);
  }

  #make(dir: Dir, name: string, path: string, entry: TarEntry): void {
    const { stat } = entry;
    const existing = dir.stat(name);
    if (stat.type === "directory") this.#makeDirectory(dir, name, path, { stat, existing });
    else {
      if (existing !== undefined) this.#clear(dir, name, existing, path);
      this.#makeOther(dir, name, path, entry);
    }
  }

  #makeDirectory(dir: Dir, name: string, path: string, entry: { stat: EntryStat; existing: Stat | undefined }): void {
    const { stat, existing } = entry;
    if (existing !== undefined && existing.type !== "directory") dir.unlink(name);
    if (existing?.type !== "directory") dir.mkdir(name, 0o700);
    this.#setMetadata(dir, name, stat);
    this.#times.set(path, stat.mtime);
  }

  #clear(dir: Dir, name: string, existing: Stat, path: string): void {
    if (existing.type === "directory" && this.#options.form === "literal") {
      throw refused(path, "a directory is in its place");
    }
    if (this.#parent !== undefined && `${this.#parent.path}/`.startsWith(`${path}/`)) this.#closeParent();
    dir.removeTree(name);
  }

  #makeOther(dir: Dir, name: string, path: string, entry: TarEntry): void {
    const { stat } = entry;
    switch (stat.type) {
      case "file":
        this.#file = new OpenFile(dir, name, entry);
        return;
      case "hardlink":
        return this.#hardlink(dir, name, path, stat.linkname ?? "");
      case "symlink":
        dir.symlink(stat.linkname ?? "", name);
        break;
      case "char":
      case "block":
      case "fifo":
        if (this.#device(dir, name, path, stat)) break;
        return;
      case "directory":
        return;
      default:
        return stat.type satisfies never;
    }
    this.#setMetadata(dir, name, stat);
    dir.utimens(name, stat.mtime);
  }

  /** False: left out. A user namespace can make no devices, and none that is in an image can be opened there. */
  #device(dir: Dir, name: string, path: string, stat: EntryStat): boolean {
    const { devmajor = 0, devminor = 0 } = stat;
    if (stat.type !== "char" && stat.type !== "block" && stat.type !== "fifo") return false;
    // A 0/0 device is overlayfs's whiteout: as an entry it would hide files without saying so.
    if (this.#options.form === "overlay" && stat.type === "char" && devmajor === 0 && devminor === 0) {
      throw refused(path, "a character device 0/0 cannot be stored in a layer");
    }
    if (stat.type !== "fifo" && inUserNamespace()) return false;
    dir.mknod(name, stat.type, stat.mode & 0o777, devmajor, devminor);
    return true;
  }

  #hardlink(dir: Dir, name: string, path: string, linkname: string): void {
    const parts = cleanParts(linkname);
    const target = parts.pop();
    if (target === undefined) throw refused(path, "a hard link to nothing");
    using from = this.#openDir(parts, false);
    const found = from?.stat(target);
    if (from === undefined || found === undefined)
      throw refused(path, `its hard link target /${[...parts, target].join("/")} is not there`);
    if (found.type === "directory") throw refused(path, "a hard link to a directory");
    dir.link(from, target, name);
  }

  /** Owner before mode and attributes: chown clears setuid and file capabilities. */
  #setMetadata(dir: Dir, name: string, stat: EntryStat): void {
    const { uid, gid } = this.#options.owner ?? stat;
    dir.chown(name, uid, gid);
    if (stat.type === "symlink") return;
    dir.chmod(name, stat.mode);
    for (const [key, value] of stat.xattrs ?? []) {
      if (!isOverlayXattr(key)) setXattr(dir, name, key, value);
    }
  }

  #openParent(parts: readonly string[]): Dir {
    const path = parts.join("/");
    if (this.#parent?.path === path) return this.#parent.dir;
    this.#closeParent();
    const dir = this.#openDir(parts, true);
    if (dir === undefined) throw refused(path, "its parent is no directory");
    this.#parent = { path, dir };
    return dir;
  }

  /** A directory of the tree; missing ones are made 0755. In a layer no symlink is followed. */
  #openDir(parts: readonly string[], make: boolean): Dir | undefined {
    if (this.#options.form === "literal") return this.#openFollowing(parts, make);
    let at: Dir = this.#root.openDir(".");
    for (const part of parts) {
      const stat = at.stat(part);
      if (stat?.type !== "directory") {
        if (!make) {
          at[Symbol.dispose]();
          return undefined;
        }
        // A symlink or file where a directory must be: the later entry wins, as it would over a lower layer.
        if (stat !== undefined) at.unlink(part);
        at.mkdir(part, 0o755);
        at.chmod(part, 0o755);
      }
      const next = at.openDir(part);
      at[Symbol.dispose]();
      at = next;
    }
    return at;
  }

  #openFollowing(parts: readonly string[], make: boolean): Dir | undefined {
    for (let count = parts.length; count >= 0; count--) {
      const found = tryDir(this.#root, parts.slice(0, count).join("/"));
      if (found === undefined) continue;
      let at = found;
      for (const part of parts.slice(count)) {
        if (!make || at.stat(part) !== undefined) {
          at[Symbol.dispose]();
          return undefined;
        }
        at.mkdir(part, 0o755);
        at.chmod(part, 0o755);
        const next = at.openDir(part);
        at[Symbol.dispose]();
        at = next;
      }
      return at;
    }
    return undefined;
  }

  #closeParent(): void {
    this.#parent?.dir[Symbol.dispose]();
    this.#parent = undefined;
  }
}

/** A file being written; sparse pieces are put in their places. */
class OpenFile {
  readonly dir: Dir;
  readonly name: string;
  readonly stat: EntryStat;
  readonly #fd: number;
  readonly #pieces: { offset: number; size: number }[];
  #open = true;

  constructor(dir: Dir, name: string, entry: TarEntry) {
    this.dir = dir;
    this.name = name;
    this.stat = entry.stat;
    this.#fd = dir.openFile(name, openFlags.createNew, 0o600);
    this.#pieces = (entry.sparse ?? []).map((piece) => ({ ...piece }));
    if (entry.sparse !== undefined) truncateFd(this.#fd, entry.stat.size);
  }

  write(bytes: Uint8Array): void {
    if (this.#pieces.length === 0) return writeFd(this.#fd, bytes);
    let rest = bytes;
    while (rest.byteLength > 0) {
      const piece = this.#pieces[0];
      if (piece === undefined || piece.offset + piece.size > this.stat.size) return;
      const part = rest.subarray(0, piece.size);
      seekFd(this.#fd, piece.offset);
      writeFd(this.#fd, part);
      piece.offset += part.byteLength;
      piece.size -= part.byteLength;
      if (piece.size === 0) this.#pieces.shift();
      if (part.byteLength === 0 && this.#pieces.length === 0) return;
      rest = rest.subarray(part.byteLength);
    }
  }

  /** Sets what an open file has beside its content, and closes it. */
  finish(metadata: Parameters<typeof setFileMetadata>[1]): void {
    setFileMetadata(this.#fd, metadata);
    this.close();
  }

  close(): void {
    if (this.#open) closeFd(this.#fd);
    this.#open = false;
  }
}

/** The parts of an archive's path; absolute ones and `..` are held inside. */
function cleanParts(path: string): string[] {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") throw refused(path, "`..` in a path");
    if (part.includes("\0")) throw refused(path, "a NUL in a path");
    parts.push(part);
  }
  return parts;
}

function setXattr(dir: Dir, name: string, key: string, value: Uint8Array): void {
  try {
    dir.setxattr(name, key, value);
  } catch (error) {
    // The file system has no such attributes, or they are not for this user.
    const ignored = ["ENOTSUP", "EOPNOTSUPP", "EPERM"];
    if (!(error instanceof SyscallError) || !ignored.includes(error.errno) || key === "security.capability")
      throw error;
  }
}

function tryDir(root: Root, path: string): Dir | undefined {
  try {
    return root.dir(path);
  } catch (error) {
    if (error instanceof SyscallError && (error.errno === "ENOENT" || error.errno === "ENOTDIR")) return undefined;
    throw error;
  }
}

function refused(path: string, why: string): TsbuildError {
  return new TsbuildError(`Cannot unpack /${path.replace(/^\/+/, "")}: ${why}`, { code: "E_LAYER_ENTRY" });
}
