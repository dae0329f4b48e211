import { ruleUrl, type WrittenRule } from "../rule.ts";

export const stageNameCasing: WrittenRule<"FROM"> = {
  kind: "written",
  on: ["FROM"],
  name: "StageNameCasing",
  description: "Stage names should be lowercase",
  url: ruleUrl("stage-name-casing"),
  examples: () => ({
    bad: "FROM scratch AS BuilderBase",
    line: 1,
    message: "Stage name 'BuilderBase' should be lowercase",
    good: "FROM scratch AS builder-base",
  }),
  check: ({ alias, location }) => {
    const name = alias?.name;
    if (name === undefined || name.raw === name.raw.toLowerCase()) return [];
    const message = `Stage name '${name.raw}' should be lowercase`;
    return [{ message, location, at: name.location }];
  },
};
