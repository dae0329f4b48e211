/** Lines and columns count from 1; columns in UTF-16 units; `end` is exclusive. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A range of the Dockerfile's text. `file` is the name as the user gave it. */
export interface SourceLocation {
  readonly file: string;
  readonly start: Position;
  readonly end: Position;
}
