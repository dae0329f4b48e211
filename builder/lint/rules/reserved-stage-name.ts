import { ruleUrl, type FileRule } from "../rule.ts";

const reserved: ReadonlySet<string> = new Set(["context", "scratch"]);

export const reservedStageName: FileRule = {
  kind: "file",
  name: "ReservedStageName",
  description: "Reserved words should not be used as stage names",
  url: ruleUrl("reserved-stage-name"),
  wholeFile: true,
  examples: () => ({
    bad: "FROM alpine AS scratch\nFROM alpine AS build",
    line: 1,
    message: 'Stage name should not use the same name as reserved stage "scratch"',
    good: "FROM alpine AS nothing\nFROM scratch AS build",
  }),
  check: ({ ast }) =>
    ast.stages.flatMap(({ name, from: { location, alias } }) => {
      if (name === undefined || alias === undefined || !reserved.has(name)) return [];
      const message = `Stage name should not use the same name as reserved stage ${JSON.stringify(name)}`;
      return [{ message, location, at: alias.name.location }];
    }),
};
