/** Metadata of an entry; ids and sizes are exact numbers up to 2^53, times in nanoseconds since the epoch. */
export interface EntryStat {
  readonly type: "file" | "directory" | "symlink" | "hardlink" | "char" | "block" | "fifo";
  /** Permission bits with setuid, setgid and sticky: 0o0000-0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes; 0 unless `type` is "file". */
  readonly size: number;
  readonly mtime: bigint;
  /** Target of a symlink, or path (from the root, no leading slash) of the entry a hardlink repeats. */
  readonly linkname?: string;
  readonly devmajor?: number;
  readonly devminor?: number;
  /** Values are raw bytes; sorted by name when written. */
  readonly xattrs?: ReadonlyMap<string, Uint8Array>;
}

/**
 * One entry of a diff. `path` is relative to the root, without leading or trailing slash; "" is the root itself.
 * Paths are strings in which bytes that are not UTF-8 stand as lone surrogates (U+DC80 + byte): see native/pathname.ts.
 */
export type Change =
  | { readonly kind: "add" | "modify"; readonly path: string; readonly stat: EntryStat }
  | { readonly kind: "delete"; readonly path: string }
  /** The directory's earlier content is hidden; its own "add" or "modify" comes first. */
  | { readonly kind: "opaque"; readonly path: string };
