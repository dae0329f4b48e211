import { cacheComment, parseCacheLimit } from "../../graph/cache-limit.ts";
import type { StepRule } from "../rule.ts";

/** Always on: a comment that is meant for tsbuild and does nothing. */
export const invalidCacheLimit: StepRule = {
  kind: "step",
  name: "tsbuild/InvalidCacheLimit",
  description: "The comment # cache= above an instruction should be a duration or never",
  examples: () => ({
    bad: "FROM alpine:3.22\n# cache=soon\nRUN apk add --no-cache git",
    line: 3,
    message: "The comment cache=soon has no effect: it is no duration such as 12h or 7d, and not never",
    good: "FROM alpine:3.22\n# cache=12h\nRUN apk add --no-cache git",
  }),
  check: ({ instruction }) => {
    const text = cacheComment(instruction.comments);
    if (text === undefined || parseCacheLimit(text) !== undefined) return [];
    const message = `The comment cache=${text} has no effect: it is no duration such as 12h or 7d, and not never`;
    const hint = "write # cache=12h, # cache=7d or # cache=never";
    return [{ message, location: instruction.location, at: instruction.keyword, hint }];
  },
};
