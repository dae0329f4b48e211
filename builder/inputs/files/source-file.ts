/** A file that is no part of a tree. */
export interface SourceFile extends Disposable {
  readonly name: string;
  readonly fd: number;
  readonly size: number;
  readonly mode: number;
  /** Nanoseconds. */
  readonly mtime: bigint;
}
