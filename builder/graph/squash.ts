import { makeVertex, type Vertex } from "./vertex.ts";

/** The vertex whose layers are those of `target` with what `squash` names made one; `target` itself without it. */
export function squashVertex(
  target: Vertex,
  options: { readonly squash: "new" | "all" | undefined; readonly epoch: number | undefined },
): Vertex {
  const { squash, epoch } = options;
  if (squash === undefined) return target;
  const base = bottom(target);
  return makeVertex({
    op: { kind: "squash", ...(epoch === undefined ? {} : { epoch }) },
    inputs: squash === "all" || base.op.kind === "scratch" ? [target] : [target, base],
    name: squash === "all" ? "squashing all layers" : "squashing new layers",
    slot: `squash/${target.slot}`,
  });
}

/** What the first layer of a vertex stands on. */
export function bottom(target: Vertex): Vertex {
  let at = target;
  for (let below = at.inputs[0]; below !== undefined; below = at.inputs[0]) at = below;
  return at;
}
