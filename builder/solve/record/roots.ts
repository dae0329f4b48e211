import type { MissCause } from "../../graph/causes.ts";

/** A step that ran: which one, and why. */
export interface Missed {
  readonly slot: string;
  readonly causes: readonly MissCause[];
}

/** A step that ran for reasons of its own, and those that ran because of it. */
export interface RootMiss<T extends Missed> {
  readonly root: T;
  readonly followers: readonly T[];
}

/** Folds steps, given in the order in which they ran, under those that made them run. */
export function foldMisses<T extends Missed>(missed: readonly T[]): readonly RootMiss<T>[] {
  const rootOf = new Map<string, T>();
  const folded = new Map<T, T[]>();
  for (const step of missed) {
    const earlier = step.causes.find((cause) => cause.kind === "earlier");
    const above = earlier === undefined ? undefined : rootOf.get(earlier.slot);
    const root = above !== undefined && isFollower(step, above) ? above : step;
    rootOf.set(step.slot, root);
    if (root === step) folded.set(step, []);
    else folded.get(root)?.push(step);
  }
  return [...folded].map(([root, followers]) => ({ root, followers }));
}

/** Whether a step has no reasons beside those of the root. Files of a stage are made by its steps. */
function isFollower({ causes }: Missed, root: Missed): boolean {
  const known = new Set(root.causes.map((cause) => JSON.stringify(cause)));
  return causes.every(
    (cause) =>
      cause.kind === "earlier" ||
      cause.kind === "more" ||
      (cause.kind === "file" && cause.path.startsWith("/")) ||
      known.has(JSON.stringify(cause)),
  );
}
