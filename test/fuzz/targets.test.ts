import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { budget } from "./rig/budget.ts";
import { checkInput } from "./rig/check.ts";
import { hugeInputsOf, inputsOf, type FuzzTarget } from "./rig/target.ts";
import { allTargets } from "./targets/all.ts";

/** Inputs that once made a target fail, and what a target begins with. */
function knownInputs({ name, seeds }: FuzzTarget): readonly Buffer[] {
  const directory = join(import.meta.dirname, "crashers", name);
  const crashers = existsSync(directory)
    ? readdirSync(directory).map((file) => readFileSync(join(directory, file)))
    : [];
  return [...seeds.map((seed) => Buffer.from(seed)), ...crashers];
}

describe.each(allTargets)("$name gives a value or an error with a code, in less than a second", (target) => {
  it("for what once was not so", async () => {
    for (const input of knownInputs(target)) await checkInput(target, input);
    expect(target.seeds.length).toBeGreaterThan(0);
  });

  it("for inputs by chance, the same each time", async () => {
    await fc.assert(
      fc.asyncProperty(inputsOf(target), async (input) => await checkInput(target, input)),
      budget(1000),
    );
  });

  it("for large inputs of few words, the same each time", async () => {
    await fc.assert(
      fc.asyncProperty(hugeInputsOf(target), async (input) => await checkInput(target, input)),
      budget(60),
    );
  });
});
