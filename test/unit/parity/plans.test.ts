import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DockerfileError } from "../../../builder/base/error.ts";
import { planFacts, type PlanFacts } from "../../rig/plan-facts.ts";
import { planText } from "../../rig/plan.ts";
import { planTables } from "./all-cases.ts";
import { caseOf, requestKey, type PlanCase, type Recorded } from "./plan-case.ts";

const records: Readonly<Record<string, Recorded>> = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../fixtures/buildkit-plans.json"), "utf8"),
);

type Outcome = { readonly facts: PlanFacts } | { readonly error: DockerfileError };

async function outcomeOf(one: PlanCase): Promise<Outcome> {
  try {
    return { facts: planFacts(await planText(one)) };
  } catch (error) {
    if (error instanceof DockerfileError) return { error };
    throw error;
  }
}

/** What a Dockerfile means, by its image's config and history and by what each step does, is what BuildKit says. */
describe.each(Object.entries(planTables))("plans of %s", (table, cases) => {
  it.each(Object.entries(cases))("%s", async (name, value) => {
    const one = caseOf(value);
    const buildkit = records[`${table}: ${name}`];
    if (buildkit?.request !== requestKey(one)) throw new Error("record it: node test/peers/buildkit/record.ts");
    const outcome = await outcomeOf(one);
    if ("error" in outcome) {
      const { code, location, hint = "" } = outcome.error;
      expect(`${code} ${location.start.line}:${location.start.column}`).toBe(one.error);
      expect(hint).toContain(one.hint ?? "");
    } else expect(one.error).toBeUndefined();
    expect(agree(outcome, withNames(buildkit, one.names))).toEqual(
      one.differs === undefined ? agreed : expect.not.objectContaining(agreed),
    );
  });
});

function withNames(recorded: Recorded, names: readonly string[] | undefined): Recorded {
  if (names === undefined || !("facts" in recorded)) return recorded;
  return { ...recorded, facts: { ...recorded.facts, names } };
}

const agreed = { different: false };

/** Both refuse it at the same lines, or both mean the same. */
function agree(outcome: Outcome, buildkit: Recorded): object {
  if ("error" in outcome && "error" in buildkit) {
    const { line } = outcome.error.location.start;
    const [first, last] = buildkit.lines ?? [line, line];
    return line >= first && line <= last ? agreed : { different: true, line, lines: buildkit.lines };
  }
  if ("error" in outcome || "error" in buildkit) return { different: true, outcome, buildkit };
  // As JSON: it has no undefined.
  const facts = JSON.parse(JSON.stringify(outcome.facts));
  if (JSON.stringify(facts) === JSON.stringify(buildkit.facts)) return agreed;
  return { different: true, ...differences(facts, buildkit.facts) };
}

/** The fields that are not the same. */
function differences(ours: PlanFacts, theirs: PlanFacts): object {
  const fields = ["platform", "author", "config", "history", "steps", "names"] as const;
  const unlike = fields.filter((field) => JSON.stringify(ours[field]) !== JSON.stringify(theirs[field]));
  return Object.fromEntries(unlike.map((field) => [field, { ours: ours[field], buildkit: theirs[field] }]));
}
