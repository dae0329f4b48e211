import { ruleUrl, type FileRule } from "../rule.ts";

export const duplicateStageName: FileRule = {
  kind: "file",
  name: "DuplicateStageName",
  description: "Stage names should be unique",
  url: ruleUrl("duplicate-stage-name"),
  wholeFile: true,
  examples: () => ({
    bad: "FROM scratch AS builder\nFROM scratch AS builder",
    line: 2,
    message: 'Duplicate stage name "builder", stage names should be unique',
    good: "FROM scratch AS first-builder\nFROM scratch AS second-builder",
  }),
  check: ({ ast }) => {
    const seen = new Set<string>();
    return ast.stages.flatMap(({ name, from: { location, alias } }) => {
      if (name === undefined || alias === undefined) return [];
      const known = seen.has(name);
      seen.add(name);
      const message = `Duplicate stage name ${JSON.stringify(name)}, stage names should be unique`;
      return known ? [{ message, location, at: alias.name.location }] : [];
    });
  },
};
