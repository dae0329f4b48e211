import { decodePath, encodeCString } from "./pathname.ts";
import { call, tryCall } from "./syscall.ts";

const buffer = Buffer.alloc(64 << 10);
const none = ["ENOTSUP", "EOPNOTSUPP", "ENODATA"];

/** Names of an open file's extended attributes; none where the file system has no such thing. */
export function listFdXattrs(fd: number): readonly string[] {
  const length = tryCall(none, "flistxattr", undefined, fd, buffer, buffer.length);
  return length === undefined || length === 0 ? [] : decodePath(buffer.subarray(0, length - 1)).split("\0");
}

/** Copies one attribute between open files; nothing when it is gone. */
export function copyFdXattr(from: number, to: number, key: string): void {
  const name = encodeCString(key);
  const length = tryCall(none, "fgetxattr", key, from, name, buffer, buffer.length);
  if (length !== undefined) call("fsetxattr", key, to, name, buffer, length, 0);
}
