import { keywordOf, ruleUrl, type WrittenRule } from "../rule.ts";

export const fromAsCasing: WrittenRule<"FROM"> = {
  kind: "written",
  on: ["FROM"],
  name: "FromAsCasing",
  description: "The 'as' keyword should match the case of the 'from' keyword",
  url: ruleUrl("from-as-casing"),
  examples: () => ({
    bad: "FROM scratch as builder",
    line: 1,
    message: "'as' and 'FROM' keywords' casing do not match",
    good: "FROM scratch AS builder",
  }),
  check: (instruction) => {
    const as = instruction.alias?.keyword;
    if (as === undefined) return [];
    const from = keywordOf(instruction);
    const [lower, upper] = [from === from.toLowerCase(), from === from.toUpperCase()];
    // FROM in mixed case is for another rule.
    if ((!lower && !upper) || as.raw === (lower ? as.raw.toLowerCase() : as.raw.toUpperCase())) return [];
    const message = `'${as.raw}' and '${from}' keywords' casing do not match`;
    return [{ message, location: instruction.location, at: as.location }];
  },
};
