/** How a layer's tar says that a name is gone. @see image-spec layer.md#whiteouts */
export const whiteoutPrefix = ".wh.";
/** In a directory: everything from the layers below is gone. */
export const opaqueMarker = ".wh..wh..opq";

/** Attributes by which overlayfs says the same on disk: the second one is for mounts by plain users. */
export const opaqueXattrs: readonly string[] = ["trusted.overlay.opaque", "user.overlay.opaque"];

/** Attributes that are overlayfs's own and never part of a layer. */
export function isOverlayXattr(key: string): boolean {
  return key.startsWith("trusted.overlay.") || key.startsWith("user.overlay.");
}
