import type { Dir, Stat } from "../../native/path.ts";
import { inUserNamespace } from "../../native/user-namespace.ts";

/** How a layer's tar says that a name is gone. @see image-spec layer.md#whiteouts */
export const whiteoutPrefix = ".wh.";
/** In a directory: everything from the layers below is gone. */
export const opaqueMarker = ".wh..wh..opq";

/** Attributes by which overlayfs says the same on disk: the second one is for mounts by plain users. */
const opaqueXattrs: readonly string[] = ["trusted.overlay.opaque", "user.overlay.opaque"];

/** The one that this process can set. */
export function opaqueXattr(): string {
  return inUserNamespace() ? "user.overlay.opaque" : "trusted.overlay.opaque";
}

/** Whether an entry of a layer directory says that the name is gone. */
export function isWhiteout(stat: Stat): boolean {
  return stat.type === "char" && stat.devmajor === 0 && stat.devminor === 0;
}

/** Whether a directory of a layer hides what the layers below have in it. */
export function isOpaque(dir: Dir, name: string): boolean {
  return opaqueXattrs.some((key) => dir.getxattr(name, key)?.toString() === "y");
}

/** Attributes that are overlayfs's own and never part of a layer. */
export function isOverlayXattr(key: string): boolean {
  return key.startsWith("trusted.overlay.") || key.startsWith("user.overlay.");
}
