import type { Dir } from "../../native/path.ts";
import { isOverlayXattr } from "./whiteout.ts";

/** Attributes of a file that mean the same on every machine: they go into layers, and are taken from them. */
const kept: ReadonlySet<string> = new Set([
  "security.capability",
  "system.posix_acl_access",
  "system.posix_acl_default",
]);

/**
 * Whether an attribute belongs to an image. Labels of SELinux, Smack and IMA and the `trusted` ones mean something to the
 * machine's own kernel and administrator: no layer sets them.
 */
export function isLayerXattr(key: string): boolean {
  return kept.has(key) || (key.startsWith("user.") && !isOverlayXattr(key));
}

/** An entry of an open directory. */
interface Entry {
  readonly dir: Dir;
  readonly name: string;
}

/** Gives a file or directory the attributes of another that belong to an image. */
export function copyXattrs(from: Entry, to: Entry): void {
  for (const key of from.dir.listxattr(from.name).filter(isLayerXattr)) {
    const value = from.dir.getxattr(from.name, key);
    if (value !== undefined) to.dir.setxattr(to.name, key, value);
  }
}
