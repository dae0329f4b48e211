import { constants } from "node:os";
import type { LibraryHandle } from "koffi";
import { SyscallError } from "./errors.ts";
import { loadKoffi, type Koffi } from "./koffi.ts";

type NativeFunction = ReturnType<LibraryHandle["func"]>;

const EINTR = constants.errno.EINTR;

/** libc's functions used here, in koffi's notation. Pointers to bytes are `void *`: a Buffer is passed as it is. */
const prototypes = {
  openat: "int openat(int, void *, int, int)",
  openat2: "long syscall(long, int, void *, void *, size_t)",
  fchmodat2: "long syscall(long, int, void *, unsigned int, int)",
  fsopen: "long syscall(long, void *, unsigned int)",
  fsconfig: "long syscall(long, int, unsigned int, void *, void *, int)",
  fsmount: "long syscall(long, int, unsigned int, unsigned int)",
  getdents64: "long syscall(long, int, void *, size_t)",
  close: "int close(int)",
  read: "long read(int, void *, size_t)",
  readAt: "long read(int, uint64_t, size_t)",
  write: "long write(int, void *, size_t)",
  fstatat: "int statx(int, void *, int, unsigned int, void *)",
  // By addresses: into and out of the middle of a buffer without an object for each call.
  statxAt: "int statx(int, uint64_t, int, unsigned int, uint64_t)",
  readlinkat: "long readlinkat(int, void *, void *, size_t)",
  mkdirat: "int mkdirat(int, void *, unsigned int)",
  symlinkat: "int symlinkat(void *, int, void *)",
  linkat: "int linkat(int, void *, int, void *, int)",
  mknodat: "int mknodat(int, void *, unsigned int, uint64_t)",
  unlinkat: "int unlinkat(int, void *, int)",
  renameat: "int renameat(int, void *, int, void *)",
  fchmodat: "int fchmodat(int, void *, unsigned int, int)",
  fchown: "int fchown(int, unsigned int, unsigned int)",
  futimens: "int futimens(int, void *)",
  listxattrat: "long syscall(long, int, void *, unsigned int, void *, size_t)",
  fchmod: "int fchmod(int, unsigned int)",
  fchownat: "int fchownat(int, void *, unsigned int, unsigned int, int)",
  utimensat: "int utimensat(int, void *, void *, int)",
  flistxattr: "long flistxattr(int, void *, size_t)",
  fgetxattr: "long fgetxattr(int, void *, void *, size_t)",
  fsetxattr: "int fsetxattr(int, void *, void *, size_t, int)",
  llistxattr: "long llistxattr(void *, void *, size_t)",
  lgetxattr: "long lgetxattr(void *, void *, void *, size_t)",
  lsetxattr: "int lsetxattr(void *, void *, void *, size_t, int)",
  lremovexattr: "int lremovexattr(void *, void *)",
  flock: "int flock(int, int)",
  syncfs: "int syncfs(int)",
  copy_file_range: "long copy_file_range(int, void *, int, void *, size_t, unsigned int)",
  pipe2: "int pipe2(void *, int)",
  fcntl: "int fcntl(int, int, long)",
  fcntlLock: "int fcntl(int, int, void *)",
  ioctl: "int ioctl(int, unsigned long, void *)",
  ioctlNumber: "int ioctl(int, unsigned long, long)",
  lseek: "int64_t lseek(int, int64_t, int)",
  ftruncate: "int ftruncate(int, int64_t)",
  mount: "int mount(void *, void *, void *, unsigned long, void *)",
  umount2: "int umount2(void *, int)",
  bpf: "long syscall(long, int, void *, unsigned int)",
  socket: "int socket(int, int, int)",
  pidfd_open: "long syscall(long, int, unsigned int)",
  pidfd_getfd: "long syscall(long, int, int, unsigned int)",
  memfd_create: "int memfd_create(void *, unsigned int)",
  kill: "int kill(int, int)",
  waitpid: "int waitpid(int, void *, int)",
  socketpair: "int socketpair(int, int, int, void *)",
  recvmsg: "long recvmsg(int, void *, int)",
  sendmsg: "long sendmsg(int, void *, int)",
} as const;

type Name = keyof typeof prototypes;

const shownNames: Partial<Record<Name, string>> = {
  fstatat: "stat",
  statxAt: "stat",
  openat: "open",
  openat2: "open",
  fcntlLock: "lock",
  getdents64: "list",
  readAt: "read",
};

interface Library {
  readonly koffi: Koffi;
  readonly libc: LibraryHandle;
}

let library: Library | undefined;
/** What was called before: looked up here first, for some are called for every file of a layer. */
const functions = new Map<Name, NativeFunction>();

/** koffi and libc are loaded when the first call is made: importing this file costs nothing. */
function libc(): Library {
  if (library !== undefined) return library;
  const koffi = loadKoffi();
  library = { koffi, libc: koffi.load("libc.so.6") };
  return library;
}

function functionOf(name: Name): NativeFunction {
  const known = functions.get(name);
  if (known !== undefined) return known;
  const made = libc().libc.func(prototypes[name]);
  functions.set(name, made);
  return made;
}

const errnoNames = new Map(Object.entries(constants.errno).map(([name, value]) => [value, name]));
errnoNames.set(constants.errno.EAGAIN, "EAGAIN");
errnoNames.set(95, "ENOTSUP");

/** The errno of the last failed call by name. */
function lastErrno(): { readonly number: number; readonly name: string } {
  const number = libc().koffi.errno();
  return { number, name: errnoByNumber(number) };
}

/** A libc function that gives -1 and errno on failure, called again on EINTR. `path` is for the message. */
export function call(name: Name, path: string | undefined, ...args: readonly unknown[]): number {
  const run = functionOf(name);
  for (;;) {
    const result = Number(run(...args));
    if (result !== -1) return result;
    const errno = lastErrno();
    if (errno.number !== EINTR) throw new SyscallError(shownNames[name] ?? name, errno.name, path);
  }
}

/** As call(), but a failure with one of these errnos gives undefined. */
export function tryCall(
  allowed: readonly string[],
  name: Name,
  path: string | undefined,
  ...args: readonly unknown[]
): number | undefined {
  const run = functionOf(name);
  for (;;) {
    const result = Number(run(...args));
    if (result !== -1) return result;
    const errno = lastErrno();
    if (errno.number === EINTR) continue;
    if (allowed.includes(errno.name)) return undefined;
    throw new SyscallError(shownNames[name] ?? name, errno.name, path);
  }
}

/** Another function of libc, by its C prototype. */
export function libcFunction(prototype: string): NativeFunction {
  return libc().libc.func(prototype);
}

/** The name of an errno: 2 is ENOENT. */
export function errnoByNumber(number: number): string {
  return errnoNames.get(number) ?? `E${number}`;
}

/** Closes a descriptor. Never again on EINTR: Linux has closed it then. */
export function closeFd(fd: number): void {
  functionOf("close")(fd);
}

/** Reads into the buffer from its start; 0 at the end. */
export function readFd(fd: number, buffer: Uint8Array): number {
  return call("read", undefined, fd, buffer, buffer.byteLength);
}

/** Reads to an address, see addressOf(), which has room for so many bytes; 0 at the end. */
export function readAt(fd: number, address: number, size: number): number {
  return call("readAt", undefined, fd, address, size);
}

/** statx(2) of a name at an address to an address, see addressOf(): what is called for every file of a context. */
export function statxAt(dirfd: number, name: number, flags: number, mask: number, target: number): void {
  call("statxAt", undefined, dirfd, name, flags, mask, target);
}

/** Writes all of the bytes. */
export function writeFd(fd: number, bytes: Uint8Array): void {
  let at = 0;
  while (at < bytes.byteLength) at += call("write", undefined, fd, bytes.subarray(at), bytes.byteLength - at);
}

/** Sets the position for the next read or write, from the start. */
export function seekFd(fd: number, offset: number): void {
  call("lseek", undefined, fd, offset, 0);
}

/** A pipe; both ends closed on exec. */
export function pipe(): { readonly read: number; readonly write: number } {
  const fds = Buffer.alloc(8);
  call("pipe2", undefined, fds, 0o2000000);
  return { read: fds.readInt32LE(0), write: fds.readInt32LE(4) };
}

/** Where the bytes are in memory, for structures that hold pointers. Valid while the caller keeps the buffer. */
export function addressOf(bytes: Uint8Array): bigint {
  return libc().koffi.address(bytes);
}

/** Flushes the file system that the descriptor is on, beside all else. */
export async function syncfs(fd: number): Promise<void> {
  const result = await new Promise<unknown>((resolve, reject) => {
    functionOf("syncfs").async(fd, (error: unknown, value: unknown) =>
      error instanceof Error ? reject(error) : resolve(value),
    );
  });
  if (Number(result) === -1) throw new SyscallError("syncfs", "EIO");
}
