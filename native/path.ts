import { constants } from "node:fs";
import { SyscallError } from "./errors.ts";
import { bothTimes } from "./file.ts";
import { decodePath, encodeCString, maxName } from "./pathname.ts";
import { call, closeFd, tryCall } from "./syscall.ts";

const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_REMOVEDIR = 0x200;
const AT_EMPTY_PATH = 0x1000;
const O_CLOEXEC = 0o2000000;
const O_PATH = 0o10000000;
const SYS_openat2 = 437;
const SYS_fchmodat2 = 452;
const SYS_listxattrat = 465;
let hasListxattrat = true;
const SYS_getdents64 = process.arch === "arm64" ? 61 : 217;
const RESOLVE_NO_MAGICLINKS = 0x02n;
const RESOLVE_NO_SYMLINKS = 0x04n;
const RESOLVE_BENEATH = 0x08n;
const RESOLVE_IN_ROOT = 0x10n;
const STATX_BASIC = 0x7ff;

/** Flags for openFile() and open(); O_CLOEXEC is always added. */
export const openFlags: Readonly<Record<"read" | "createNew" | "readWrite" | "path", number>> = {
  // A pipe that took a file's place is not waited for; for files the flag means nothing.
  read: constants.O_RDONLY | constants.O_NONBLOCK,
  createNew: constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL,
  readWrite: constants.O_RDWR,
  path: O_PATH,
};

export type FileType = "file" | "directory" | "symlink" | "char" | "block" | "fifo" | "socket";

/** Metadata of a file. Times in nanoseconds since the epoch, size in bytes, mode 0-0o7777. */
export interface Stat {
  readonly type: FileType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly nlink: number;
  readonly ino: bigint;
  readonly dev: bigint;
  readonly devmajor: number;
  readonly devminor: number;
  readonly mtime: bigint;
  readonly ctime: bigint;
}

const types: Readonly<Record<number, FileType>> = {
  0o10: "file",
  0o04: "directory",
  0o12: "symlink",
  0o02: "char",
  0o06: "block",
  0o01: "fifo",
  0o14: "socket",
};
const typeBits: Readonly<Record<"file" | "char" | "block" | "fifo", number>> = {
  file: 0o100000,
  char: 0o020000,
  block: 0o060000,
  fifo: 0o010000,
};

/** Depth at which removeTree() goes on from the top, so that descriptors do not run out. */
const maxRemoveDepth = 100;
let moves = 0;

/** A file system without attributes; a kernel without the call. */
const noXattrs = ["ENOTSUP", "EOPNOTSUPP"];
const noList = [...noXattrs, "ENOSYS", "EPERM"];

const nameBuffer = Buffer.alloc(maxName + 1);
const statBuffer = Buffer.alloc(256);
const listBuffer = Buffer.alloc(64 << 10);
const xattrBuffer = Buffer.alloc(64 << 10);
const emptyPath = encodeCString("");

/**
 * An open directory. Every method takes one name without a slash and never follows a symlink, so that nothing that
 * a container wrote can lead out of it. Synchronous. @throws SyscallError
 */
export class Dir implements Disposable {
  readonly fd: number;
  #open = true;

  protected constructor(fd: number) {
    this.fd = fd;
  }

  /** Takes over the descriptor. */
  static fromFd(fd: number): Dir {
    return new Dir(fd);
  }

  /** What the name stands for; undefined where nothing is. */
  stat(name: string): Stat | undefined {
    const got = tryCall(
      ["ENOENT"],
      "fstatat",
      name,
      this.fd,
      cname(name),
      AT_SYMLINK_NOFOLLOW,
      STATX_BASIC,
      statBuffer,
    );
    return got === undefined ? undefined : readStat();
  }

  /** The directory itself. */
  statSelf(): Stat {
    return statFd(this.fd);
  }

  readlink(name: string): string {
    const buffer = Buffer.alloc(4096);
    const length = call("readlinkat", name, this.fd, cname(name), buffer, buffer.length);
    return decodePath(buffer.subarray(0, length));
  }

  /** Names of all entries, in the disk's order. */
  names(): string[] {
    const fd = this.#openHere(".", constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      return listNames(fd);
    } finally {
      closeFd(fd);
    }
  }

  openDir(name: string): Dir {
    return new Dir(this.#openHere(name, constants.O_RDONLY | constants.O_DIRECTORY));
  }

  /** The directory at the path; undefined where a part of it is missing, a symlink or no directory. No part is `..`. */
  straight(path: string): Dir | undefined {
    const none = ["ENOENT", "ENOTDIR", "ELOOP"];
    const name = encodeCString(path === "" ? "." : path);
    const fd = tryCall(none, "openat2", path, SYS_openat2, this.fd, name, straightHow, straightHow.length);
    return fd === undefined ? undefined : Dir.fromFd(fd);
  }

  /** A descriptor of what is no symlink; the caller closes it. */
  openFile(name: string, flags: number, mode: number = 0): number {
    return this.#openHere(name, flags, mode);
  }

  /** A descriptor of a new file, for writing, which the caller closes; undefined where the name is taken. */
  tryCreate(name: string, mode: number): number | undefined {
    const flags = openFlags.createNew | constants.O_NOFOLLOW | O_CLOEXEC;
    return tryCall(["EEXIST"], "openat", name, this.fd, cname(name), flags, mode);
  }

  mkdir(name: string, mode: number): void {
    call("mkdirat", name, this.fd, cname(name), mode);
  }

  symlink(target: string, name: string): void {
    call("symlinkat", name, encodeCString(target), this.fd, cname(name));
  }

  /** Makes `name` a hard link to `fromName` of `from`. */
  link(from: Dir, fromName: string, name: string): void {
    call("linkat", name, from.fd, encodeCString(checked(fromName)), this.fd, cname(name), 0);
  }

  mknod(name: string, type: "file" | "char" | "block" | "fifo", mode: number, major: number, minor: number): void {
    call("mknodat", name, this.fd, cname(name), typeBits[type] | mode, deviceNumber(major, minor));
  }

  unlink(name: string): void {
    call("unlinkat", name, this.fd, cname(name), 0);
  }

  rmdir(name: string): void {
    call("unlinkat", name, this.fd, cname(name), AT_REMOVEDIR);
  }

  rename(name: string, to: Dir, toName: string): void {
    call("renameat", name, this.fd, encodeCString(checked(name)), to.fd, cname(toName));
  }

  /** A symlink has no mode of its own: fails with EOPNOTSUPP. */
  chmod(name: string, mode: number): void {
    const path = cname(name);
    const done = tryCall(["ENOSYS"], "fchmodat2", name, SYS_fchmodat2, this.fd, path, mode, AT_SYMLINK_NOFOLLOW);
    if (done === undefined) call("fchmodat", name, this.fd, path, mode, AT_SYMLINK_NOFOLLOW);
  }

  chown(name: string, uid: number, gid: number): void {
    call("fchownat", name, this.fd, cname(name), uid, gid, AT_SYMLINK_NOFOLLOW);
  }

  /** Sets the modification time; the access time becomes the same. */
  utimens(name: string, mtime: bigint): void {
    call("utimensat", name, this.fd, cname(name), bothTimes(mtime), AT_SYMLINK_NOFOLLOW);
  }

  /** Names of extended attributes; none where the file system has no such thing. */
  listxattr(name: string): string[] {
    const length = this.#xattrListLength(name);
    if (length === undefined || length === 0) return [];
    return decodePath(xattrBuffer.subarray(0, length - 1)).split("\0");
  }

  /** Since Linux 6.13 the kernel takes a directory's descriptor; before it the way is over /proc, at twice the cost. */
  #xattrListLength(name: string): number | undefined {
    const size = xattrBuffer.length;
    if (hasListxattrat) {
      const flags = AT_SYMLINK_NOFOLLOW;
      const [at, path] = [this.fd, cname(name)];
      const length = tryCall(noList, "listxattrat", name, SYS_listxattrat, at, path, flags, xattrBuffer, size);
      if (length !== undefined) return length;
      hasListxattrat = false;
    }
    return tryCall(noXattrs, "llistxattr", name, this.#procPath(name), xattrBuffer, size);
  }

  getxattr(name: string, key: string): Buffer | undefined {
    const path = this.#procPath(name);
    const length = tryCall(
      ["ENODATA", "ENOTSUP", "EOPNOTSUPP"],
      "lgetxattr",
      name,
      path,
      encodeCString(key),
      xattrBuffer,
      xattrBuffer.length,
    );
    return length === undefined ? undefined : Buffer.from(xattrBuffer.subarray(0, length));
  }

  setxattr(name: string, key: string, value: Uint8Array): void {
    call("lsetxattr", name, this.#procPath(name), encodeCString(key), value, value.byteLength, 0);
  }

  removexattr(name: string, key: string): void {
    call("lremovexattr", name, this.#procPath(name), encodeCString(key));
  }

  /** Removes the entry with all below it, however deep. What is not there, or what another one removes meanwhile, is gone. */
  removeTree(name: string): void {
    const stat = this.stat(name);
    if (stat === undefined) return;
    if (stat.type !== "directory") return this.#removeName(name, 0);
    const found = [name];
    for (let next = found.pop(); next !== undefined; next = found.pop()) this.#removeDirectory(next, this, found, 0);
  }

  /** One open directory a level: what is too deep is moved up into `top` and added to `found`. */
  #removeDirectory(name: string, top: Dir, found: string[], depth: number): void {
    if (depth === maxRemoveDepth) {
      const moved = `.tsbuild-remove-${process.pid}-${++moves}`;
      if (ifThere(() => this.rename(name, top, moved))) found.push(moved);
      return;
    }
    ifThere(() => {
      using dir = this.#removable(name);
      for (const child of dir.names()) {
        if (tryCall(["EISDIR", "EPERM", "ENOENT"], "unlinkat", child, dir.fd, cname(child), 0) !== undefined) continue;
        dir.#removeDirectory(child, top, found, depth + 1);
      }
    });
    this.#removeName(name, AT_REMOVEDIR);
  }

  #removeName(name: string, flags: number): void {
    tryCall(["ENOENT"], "unlinkat", name, this.fd, cname(name), flags);
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    closeFd(this.fd);
  }

  #removable(name: string): Dir {
    try {
      return this.openDir(name);
    } catch (error) {
      // Not root and the directory is closed to its owner: open it up, it goes away anyway.
      if (!(error instanceof SyscallError) || error.errno !== "EACCES") throw error;
      this.chmod(name, 0o700);
      return this.openDir(name);
    }
  }

  #openHere(name: string, flags: number, mode: number = 0): number {
    return call("openat", name, this.fd, cname(name), flags | constants.O_NOFOLLOW | O_CLOEXEC, mode);
  }

  #procPath(name: string): Buffer {
    return encodeCString(name === "." ? `/proc/self/fd/${this.fd}/.` : `/proc/self/fd/${this.fd}/${checked(name)}`);
  }
}

/** @see openat2(2) struct open_how */
interface OpenHow {
  readonly flags: number;
  readonly mode: number;
  readonly resolve: bigint;
}

function openHow({ flags, mode, resolve }: OpenHow): Uint8Array {
  const how = BigUint64Array.of(BigInt(flags | O_CLOEXEC), BigInt(mode), resolve | RESOLVE_NO_MAGICLINKS);
  return new Uint8Array(how.buffer);
}

const straightHow = openHow({
  flags: constants.O_RDONLY | constants.O_DIRECTORY,
  mode: 0,
  resolve: RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
});

/**
 * A directory that paths are resolved inside of as if it were `/`: absolute symlinks and `..` stay in it, and the
 * kernel's magic links are refused. @see openat2(2) RESOLVE_IN_ROOT
 */
export class Root extends Dir {
  /** Opens a directory of the host, following its own path as usual. */
  static open(hostPath: string): Root {
    const AT_FDCWD = -100;
    const flags = constants.O_RDONLY | constants.O_DIRECTORY | O_CLOEXEC;
    return new Root(call("openat", hostPath, AT_FDCWD, encodeCString(hostPath), flags, 0));
  }

  /** Takes over the descriptor of a directory or mount. */
  static override fromFd(fd: number): Root {
    return new Root(fd);
  }

  /** A descriptor of what the path leads to inside the root; the caller closes it. */
  open(path: string, flags: number, mode: number = 0): number {
    return this.#open(path, { flags, mode, resolve: RESOLVE_IN_ROOT });
  }

  #open(path: string, options: OpenHow): number {
    const how = openHow(options);
    const name = encodeCString(path === "" ? "." : path);
    for (;;) {
      // EAGAIN: something was renamed while the kernel resolved `..`; it asks to try again.
      const fd = tryCall(["EAGAIN"], "openat2", path, SYS_openat2, this.fd, name, how, how.length);
      if (fd !== undefined) return fd;
    }
  }

  /** The directory that the path leads to, symlinks followed inside the root. */
  dir(path: string): Dir {
    return Dir.fromFd(this.open(path, constants.O_RDONLY | constants.O_DIRECTORY));
  }

  /** The directory that the path leads to; unlike dir() it is refused (EXDEV) if a part would lead out of the root. */
  beneath(path: string): Dir {
    const flags = constants.O_RDONLY | constants.O_DIRECTORY;
    return Dir.fromFd(this.#open(path, { flags, mode: 0, resolve: RESOLVE_BENEATH }));
  }

  /** A directory inside as a root of its own: its `/` is that directory. */
  subRoot(path: string): Root {
    return new Root(this.open(path, constants.O_RDONLY | constants.O_DIRECTORY));
  }

  /** The parent directory, resolved in the root, and the last name, not followed. The path has no trailing slash. */
  parent(path: string): { readonly dir: Dir; readonly name: string } {
    const at = path.lastIndexOf("/");
    return { dir: this.dir(at < 0 ? "" : path.slice(0, at)), name: path.slice(at + 1) };
  }
}

/** False: what it acts on is gone. */
function ifThere(act: () => void): boolean {
  try {
    act();
    return true;
  } catch (error) {
    if (error instanceof SyscallError && error.errno === "ENOENT") return false;
    throw error;
  }
}

function checked(name: string): string {
  if (name === "" || name === ".." || name.includes("/")) throw new RangeError(`not a name: ${JSON.stringify(name)}`);
  return name;
}

/** The name for a system call: valid until the next one is asked for. */
function cname(name: string): Buffer {
  checked(name);
  const { length } = name;
  if (length > maxName) return encodeCString(name);
  for (let at = 0; at < length; at++) {
    const code = name.charCodeAt(at);
    if (code === 0 || code > 0x7f) return encodeCString(name);
    nameBuffer[at] = code;
  }
  nameBuffer[length] = 0;
  return nameBuffer;
}

function deviceNumber(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) | (low & 0xffn);
}

/** Metadata of an open file. */
export function statFd(fd: number): Stat {
  call("fstatat", undefined, fd, emptyPath, AT_EMPTY_PATH, STATX_BASIC, statBuffer);
  return readStat();
}

function readStat(): Stat {
  const mode = statBuffer.readUInt16LE(28);
  return {
    type: types[mode >> 12] ?? "file",
    mode: mode & 0o7777,
    uid: statBuffer.readUInt32LE(20),
    gid: statBuffer.readUInt32LE(24),
    size: statBuffer.readUInt32LE(40) + statBuffer.readUInt32LE(44) * 2 ** 32,
    nlink: statBuffer.readUInt32LE(16),
    ino: statBuffer.readBigUInt64LE(32),
    dev: (BigInt(statBuffer.readUInt32LE(136)) << 32n) | BigInt(statBuffer.readUInt32LE(140)),
    devmajor: statBuffer.readUInt32LE(128),
    devminor: statBuffer.readUInt32LE(132),
    mtime: readTime(112),
    ctime: readTime(96),
  };
}

function readTime(at: number): bigint {
  return statBuffer.readBigInt64LE(at) * 1_000_000_000n + BigInt(statBuffer.readUInt32LE(at + 8));
}

function listNames(fd: number): string[] {
  const names: string[] = [];
  for (;;) {
    const length = call("getdents64", undefined, SYS_getdents64, fd, listBuffer, listBuffer.length);
    if (length === 0) return names;
    for (let at = 0; at < length; at += listBuffer.readUInt16LE(at + 16)) {
      const start = at + 19;
      const end = listBuffer.indexOf(0, start);
      const name = decodePath(listBuffer.subarray(start, end));
      if (name !== "." && name !== "..") names.push(name);
    }
  }
}
