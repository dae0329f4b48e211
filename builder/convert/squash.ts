import type { BuildPlan } from "./convert.ts";
import { makeVertex, type Vertex } from "../graph/vertex.ts";

/** Which layers become one: those over the base image, those of the target's own stage, or all with the base's. */
export type Squash = "new" | "stage" | "all";

const names: Readonly<Record<Squash, string>> = {
  new: "squashing new layers",
  stage: "squashing the layers of the stage",
  all: "squashing all layers",
};

/** The vertex whose layers are those of the target with what `squash` names made one; the target itself without it. */
export function squashVertex(
  { target, below }: Pick<BuildPlan, "target" | "below">,
  { squash, epoch }: { readonly squash: Squash | undefined; readonly epoch: number | undefined },
): Vertex {
  if (squash === undefined) return target;
  const base = squash === "all" ? undefined : squash === "stage" && below !== undefined ? below.vertex : bottom(target);
  return makeVertex({
    op: { kind: "squash", ...(epoch === undefined ? {} : { epoch }) },
    inputs: base === undefined || base.op.kind === "scratch" ? [target] : [target, base],
    name: names[squash],
    slot: `squash/${target.slot}`,
  });
}

/** What the first layer of a vertex stands on. */
export function bottom(target: Vertex): Vertex {
  let at = target;
  for (let below = at.inputs[0]; below !== undefined; below = at.inputs[0]) at = below;
  return at;
}
