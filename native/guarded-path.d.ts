import type { Stats } from "node:fs";

/** Somebody beside root and this user who could change what a path leads to. */
export interface Breach {
  /** The part of the path that is not guarded. */
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
  /** "list": those whom an access control list names. */
  readonly who: "owner" | "group" | "everybody" | "list";
}

/** Where a path leads, as far as it is guarded. */
export interface GuardedWalk {
  /** Without symbolic links; what is missing or not guarded where the walk ended there. */
  readonly path: string;
  readonly stat: Stats | undefined;
  readonly breach: Breach | undefined;
  /** It was made. */
  readonly isNew?: boolean;
}

export type HasAcl = (path: string) => boolean;

export declare function walkGuarded(
  path: string,
  options?: { readonly make?: number; readonly hasAcl?: HasAcl },
): GuardedWalk;
export declare function accountRows(file: string): readonly (readonly string[])[];
export declare function breachOf(path: string, stat: Stats, hasAcl?: HasAcl): Breach | undefined;
export declare function writersOf(path: string, stat: Stats, hasAcl?: HasAcl): Breach | undefined;
