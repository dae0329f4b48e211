import { openFlags, type Root } from "../../../native/path.ts";
import { closeFd } from "../../../native/syscall.ts";
import { archiveKind, extractArchive } from "./archive.ts";
import type { Copier } from "./copier.ts";
import { parentInRoot, resolveInRoot } from "./resolve.ts";
import type { Source } from "./sources.ts";
import type { SourceTree } from "./tree.ts";

/** Where the entries of an archive would go. */
export interface Unpacking {
  readonly copier: Copier;
  readonly dest: string;
  readonly target: Root;
  /** --chown: of everything in the archive. Modes stay as they are there. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  readonly signal: AbortSignal;
}

/**
 * Unpacks the source into the destination directory if it is a tar archive, plain or compressed by gzip, bzip2, xz or
 * zstd; false when it is none and has to be copied. @throws E_TAR_*, E_COMPRESSION, E_LAYER_ENTRY
 */
export async function unpackArchive(
  unpacking: Unpacking & { readonly tree: SourceTree; readonly source: Source },
): Promise<boolean> {
  const { tree, source } = unpacking;
  if (source.stat.type !== "file" || source.stat.size < 10) return false;
  const found = parentInRoot(tree.root, source.resolved);
  if (found === undefined) return false;
  using dir = found.dir;
  const fd = dir.openFile(found.name, openFlags.read);
  try {
    return await unpackFile({ ...unpacking, fd });
  } finally {
    closeFd(fd);
  }
}

/** As unpackArchive(), of an open file. */
export async function unpackFile({
  fd,
  copier,
  dest,
  target,
  owner,
  signal,
}: Unpacking & { readonly fd: number }): Promise<boolean> {
  const compression = await archiveKind(fd);
  if (compression === undefined) return false;
  const directory = resolveInRoot(target, dest);
  copier.makeDirs(directory, 0o755);
  using root = target.subRoot(directory);
  await extractArchive({ fd, compression, root, owner, createdTime: copier.createdTime, signal });
  return true;
}
