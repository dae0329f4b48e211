import { posix } from "node:path";
import { decodePercent, splitUrl } from "../../../base/split-url.ts";

/**
 * The name that ADD gives to a URL's file: the last part of its path, decoded. As with BuildKit the server has no word
 * in it (Content-Disposition), so that the name is known before it is asked.
 */
export function fileNameOf(url: string): string {
  const path = decodePercent(splitUrl(url)?.path ?? "");
  const name = posix.basename(path ?? "");
  if (name === "" || path === undefined) return "__unnamed__";
  return name === "." || name === ".." || /[\x00-\x1f\x7f]/.test(name) ? "download" : name;
}
