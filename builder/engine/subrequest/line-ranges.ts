import type { SourceLocation } from "../../base/location.ts";

/** One line of a file in BuildKit's protocol: `pb.Range` without characters. */
export interface LineRange {
  readonly start: { readonly line: number };
  readonly end: { readonly line: number };
}

/** An instruction of more lines is one range. */
const mostRanges = 1000;

/** The lines of a place, each a range of its own, as BuildKit's parser gives them. */
export function lineRanges({ start, end }: SourceLocation): readonly LineRange[] {
  const count = Math.max(1, end.line - start.line + 1);
  if (count > mostRanges) return [{ start: { line: start.line }, end: { line: end.line } }];
  return Array.from({ length: count }, (_, at) => ({
    start: { line: start.line + at },
    end: { line: start.line + at },
  }));
}
