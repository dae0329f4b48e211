import { keywordOf, ruleUrl, type StepRule } from "../rule.ts";

export const legacyKeyValueFormat: StepRule<"ENV" | "LABEL"> = {
  kind: "step",
  on: ["ENV", "LABEL"],
  name: "LegacyKeyValueFormat",
  description: "Legacy key/value format with whitespace separator should not be used",
  url: ruleUrl("legacy-key-value-format"),
  examples: () => ({
    bad: "FROM alpine\nENV DIR /usr",
    line: 2,
    message: '"ENV key=value" should be used instead of legacy "ENV key value" format',
    good: "FROM alpine\nENV DIR=/usr",
  }),
  check: ({ instruction }) => {
    if (!instruction.legacy) return [];
    const name = keywordOf(instruction);
    const message = `"${name} key=value" should be used instead of legacy "${name} key value" format`;
    const at = instruction.pairs[0]?.location;
    return [{ message, location: instruction.location, ...(at === undefined ? {} : { at }) }];
  },
};
