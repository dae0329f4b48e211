import { ruleUrl, type WrittenRule } from "../rule.ts";

export const maintainerDeprecated: WrittenRule<"MAINTAINER"> = {
  kind: "written",
  on: ["MAINTAINER"],
  name: "MaintainerDeprecated",
  description: "The MAINTAINER instruction is deprecated, use a label instead to define an image author",
  url: ruleUrl("maintainer-deprecated"),
  examples: () => ({
    bad: "FROM scratch\nMAINTAINER moby@example.com",
    line: 2,
    message: "Maintainer instruction is deprecated in favor of using label",
    good: 'FROM scratch\nLABEL org.opencontainers.image.authors="moby@example.com"',
  }),
  check: ({ location, keyword }) => [
    { message: "Maintainer instruction is deprecated in favor of using label", location, at: keyword },
  ],
};
