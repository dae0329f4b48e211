import { ruleUrl, type WrittenRule } from "../rule.ts";

/** Told once for an instruction, at the last of its lines. */
export const noEmptyContinuation: WrittenRule = {
  kind: "written",
  name: "NoEmptyContinuation",
  description: "Empty continuation lines will become errors in a future release",
  url: ruleUrl("no-empty-continuation"),
  wholeFile: true,
  examples: () => ({
    bad: "FROM alpine\nRUN apk add \\\n\n    gnupg \\\n    curl",
    line: 5,
    message: "Empty continuation line",
    good: "FROM alpine\nRUN apk add \\\n    gnupg \\\n    curl",
  }),
  check: ({ emptyLines: [at], lines: { file, end } }) => {
    if (at === undefined) return [];
    return [{ message: "Empty continuation line", location: { file, start: { line: end.line, column: 1 }, end }, at }];
  },
};
