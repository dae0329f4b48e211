import { parsePlatform, type Platform } from "../../../store/oci/platform.ts";
import { ruleUrl, type FromRule } from "../rule.ts";

/** A stage whose name says for which platform it is may be for that one. */
export const fromPlatformFlagConstDisallowed: FromRule = {
  kind: "from",
  name: "FromPlatformFlagConstDisallowed",
  description: "FROM --platform flag should not use a constant value",
  url: ruleUrl("from-platform-flag-const-disallowed"),
  examples: () => ({
    bad: "FROM --platform=linux/amd64 alpine AS base",
    line: 1,
    message: 'FROM --platform flag should not use constant value "linux/amd64"',
    good: "FROM --platform=linux/amd64 alpine AS build_amd64\nFROM alpine",
  }),
  check: ({ stage: { name = "", from }, platform }) => {
    if (platform === undefined || platform.matched.length > 0 || platform.unmatched.length > 0) return [];
    const parsed = parsed1(platform.text);
    if (parsed === undefined || name.includes(parsed.os) || name.includes(parsed.architecture)) return [];
    const message = `FROM --platform flag should not use constant value ${JSON.stringify(platform.text)}`;
    const at = from.flags.find((flag) => flag.name === "platform")?.location;
    return [{ message, location: from.location, ...(at === undefined ? {} : { at }) }];
  },
};

function parsed1(text: string): Platform | undefined {
  try {
    return parsePlatform(text);
  } catch {
    return undefined;
  }
}
