import type { Instruction } from "../../../dockerfile/ast.ts";

/** The index of the first instruction of a stage that is such a one, or -1. Each stage is walked once. */
export function firstOf(matches: (instruction: Instruction) => boolean): (steps: readonly Instruction[]) => number {
  const known = new WeakMap<readonly Instruction[], number>();
  return (steps) => {
    const found = known.get(steps) ?? steps.findIndex(matches);
    known.set(steps, found);
    return found;
  };
}
