import { parseReference } from "../../../store/oci/reference.ts";
import type { BaseRule } from "../rule.ts";

/** Off unless it is named: a digest needs somebody, or a bot, who renews it. */
export const unpinnedBase: BaseRule = {
  kind: "base",
  name: "tsbuild/UnpinnedBase",
  description: "Images should be named with their digest",
  experimental: true,
  examples: () => ({
    bad: "# check=experimental=tsbuild/UnpinnedBase\nFROM debian:12\nRUN true",
    line: 2,
    message: 'The image "debian:12" has no digest: its content may change under the same name',
    good: `# check=experimental=tsbuild/UnpinnedBase\nFROM debian:12@sha256:${"0123456789abcdef".repeat(4)}\nRUN true`,
  }),
  check: ({ name, location, at }) => {
    if (parseReference(name).digest !== undefined) return [];
    const message = `The image ${JSON.stringify(name)} has no digest: its content may change under the same name`;
    return [{ message, location, at, hint: `write ${name}@sha256:DIGEST` }];
  },
};
