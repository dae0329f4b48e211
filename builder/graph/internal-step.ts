import { digestOf, type Digest } from "../../store/oci/digest.ts";
import type { ProgressSink } from "./events.ts";
import { VertexEvents } from "./vertex-events.ts";

const loadDefinition = "[internal] load build definition from Dockerfile";

/** The step that reads the Dockerfile: what is said of it belongs there. */
export const definitionStep: { readonly name: string; readonly digest: () => Digest } = {
  name: loadDefinition,
  digest: () => digestOf(loadDefinition),
};

/** A step of the builder's own that progress shows. */
export async function internalStep<T>(emit: ProgressSink, name: string, act: () => Promise<T>): Promise<T> {
  return await new VertexEvents(emit, { digest: digestOf(name), name, inputs: [] }).around(act);
}
