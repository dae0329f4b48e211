import { parseReference } from "../../../store/oci/reference.ts";
import type { BaseRule } from "../rule.ts";

export const latestBase: BaseRule = {
  kind: "base",
  name: "tsbuild/LatestBase",
  description: "Images should be named with a version",
  examples: () => ({
    bad: "FROM alpine\nRUN true",
    line: 1,
    message: 'The image "alpine" has no version: it is another one after each release',
    good: "FROM alpine:3.22\nRUN true",
  }),
  check: ({ name, location, at }) => {
    const { tag, digest } = parseReference(name);
    if (digest !== undefined || (tag !== undefined && tag !== "latest")) return [];
    const message = `The image ${JSON.stringify(name)} has no version: it is another one after each release`;
    return [{ message, location, at, hint: `write ${name.replace(/:latest$/, "")}:VERSION` }];
  },
};
