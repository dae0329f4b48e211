import { encodeCString } from "./pathname.ts";
import { tryCall } from "./syscall.ts";

/** No list, or a file system without them. */
const none = ["ENODATA", "ENOTSUP", "EOPNOTSUPP"];

const defaultName = encodeCString("system.posix_acl_default");

/** Whether an access control list says more than the mode does. @see acl(5) */
export function hasAcl(path: string): boolean {
  const name = encodeCString("system.posix_acl_access");
  return tryCall(none, "lgetxattr", path, encodeCString(path), name, null, 0) !== undefined;
}

/** Whether a directory gives rules of its own to all that is made in it. */
export function hasDefaultAcl(path: string): boolean {
  return tryCall(none, "lgetxattr", path, encodeCString(path), defaultName, null, 0) !== undefined;
}

/** Takes away what a directory gives to all that is made in it. */
export function removeDefaultAcl(path: string): void {
  tryCall(none, "lremovexattr", path, encodeCString(path), defaultName);
}
