import { digestOf } from "../../store/oci/digest.ts";
import type { Vertex } from "../graph/vertex.ts";
import type { OpContext } from "../solve/op.ts";
import { sourceProgress, type SourceProgress } from "../inputs/source/progress.ts";

/** What a source that is fetched for a vertex says. */
export function progressOf({ digest, name }: Vertex, { emit, signal }: OpContext): SourceProgress {
  return sourceProgress(emit, { digest, name }, signal);
}

/** As progressOf(), of what has to be known before it is fetched: a step of its own. */
export function lookUpProgress(vertex: Vertex, { emit, signal }: OpContext): SourceProgress {
  const name = vertex.name.replace("] load git source ", "] resolve ");
  return sourceProgress(emit, { digest: digestOf(`look up ${vertex.digest}`), name }, signal);
}
