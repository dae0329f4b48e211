import { ruleUrl, type FromRule } from "../rule.ts";

export const redundantTargetPlatform: FromRule = {
  kind: "from",
  name: "RedundantTargetPlatform",
  description: "Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior",
  url: ruleUrl("redundant-target-platform"),
  examples: () => ({
    bad: "FROM --platform=$TARGETPLATFORM alpine",
    line: 1,
    message: "Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior",
    good: "FROM --platform=$BUILDPLATFORM alpine",
  }),
  check: ({ stage: { from }, platform, args }) => {
    const only = platform?.unmatched.length === 0 && platform.matched.length === 1 ? platform.matched[0] : undefined;
    if (only !== "TARGETPLATFORM" || platform?.text !== args.get(only)) return [];
    const message = `Setting platform to predefined ${from.platform} in FROM is redundant as this is the default behavior`;
    const at = from.flags.find(({ name }) => name === "platform")?.location;
    return [{ message, location: from.location, ...(at === undefined ? {} : { at }) }];
  },
};
