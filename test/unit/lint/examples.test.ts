import { describe, expect, it } from "vitest";
import { buildkitRules } from "../../../builder/lint/rules.ts";
import { ownRules } from "../../../builder/lint/own-rules.ts";
import { isOwn } from "../../../builder/lint/rule.ts";
import { lintText } from "../../rig/lint.ts";

const rules = [...buildkitRules, ...ownRules];

describe("every rule", () => {
  it("is there once, and BuildKit's are 22", () => {
    expect(new Set(rules.map(({ name }) => name)).size).toBe(rules.length);
    expect(buildkitRules.length).toBe(22);
    expect(rules.filter(({ name }) => isOwn(name))).toEqual(ownRules);
  });

  it.each(rules.map((rule) => [rule.name, rule] as const))("%s warns of its bad example alone", async (name, rule) => {
    const { bad, good, line, message, ignore, buildArgs, base } = rule.examples();
    const found = await lintText(bad, { ignore, buildArgs, base, own: ownRules });
    const own = found.warnings.filter((warning) => warning.rule.name === name);
    expect(own.map((warning) => [warning.location.start.line, warning.message])).toEqual([[line, message]]);
    const fine = await lintText(good, { ignore, buildArgs, base, own: ownRules });
    expect(fine.warnings.map((warning) => warning.rule.name)).not.toContain(name);
    expect(fine.error).toBe(undefined);
  });

  it.each(rules.map((rule) => [rule.name, rule] as const))("%s marks words of its bad example", async (name, rule) => {
    const { warnings } = await lintText(rule.examples().bad, { ...rule.examples(), own: ownRules });
    const { location, at = location } = warnings.find((warning) => warning.rule.name === name) ?? {
      location: undefined,
    };
    const lines = rule.examples().bad.split("\n");
    expect(at?.start.line).toBeGreaterThan(0);
    expect(at?.end.column).toBeLessThanOrEqual((lines[(at?.end.line ?? 0) - 1] ?? "").length + 1);
  });

  it.each(ownRules.map((rule) => [rule.name, rule] as const))(
    "%s: its good example is good for all",
    async (_, rule) => {
      const { good, ...request } = rule.examples();
      expect((await lintText(good, { ...request, own: ownRules })).warnings).toEqual([]);
    },
  );
});
