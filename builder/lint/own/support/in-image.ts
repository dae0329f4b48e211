import type { DockerfileAst, Stage } from "../../../dockerfile/ast.ts";
import type { StepCheck } from "../../rule.ts";

const known = new WeakMap<DockerfileAst, ReadonlySet<number>>();

/** Whether what a step leaves is in the image: its stage is the target, or one that the target stands on. */
export function isInImage({ ast, target, state }: StepCheck): boolean {
  const stages = known.get(ast) ?? stagesOfImage(ast.stages, target);
  known.set(ast, stages);
  return stages.has(state.stage.index);
}

/** As far as FROM says it without variables. */
function stagesOfImage(stages: readonly Stage[], target: string | undefined): ReadonlySet<number> {
  const parents = parentsOf(stages);
  const found = new Set<number>();
  const first = target === undefined || target === "" ? stages.length - 1 : indexOf(stages, target);
  for (let at: number | undefined = first; at !== undefined; at = parents[at]) found.add(at);
  return found;
}

/** Of each stage the earlier one that it is built on. */
function parentsOf(stages: readonly Stage[]): readonly (number | undefined)[] {
  const named = new Map<string, number>();
  return stages.map(({ index, name, from }) => {
    const parent = named.get(from.image.raw.toLowerCase());
    if (name !== undefined) named.set(name, index);
    return parent;
  });
}

function indexOf(stages: readonly Stage[], target: string): number {
  const named = stages.findLastIndex(({ name }) => name === target.toLowerCase());
  return named < 0 && /^\d+$/.test(target) ? Number(target) : named;
}
