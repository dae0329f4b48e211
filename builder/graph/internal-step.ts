import { digestOf, type Digest } from "../../store/oci/digest.ts";
import type { ProgressSink } from "./events.ts";
import { now } from "../../native/clock.ts";

const loadDefinition = "[internal] load build definition from Dockerfile";

/** The step that reads the Dockerfile: what is said of it belongs there. */
export const definitionStep: { readonly name: string; readonly digest: () => Digest } = {
  name: loadDefinition,
  digest: () => digestOf(loadDefinition),
};

/** A step of the builder's own that progress shows. */
export async function internalStep<T>(emit: ProgressSink, name: string, act: () => Promise<T>): Promise<T> {
  const digest = digestOf(name);
  emit({ kind: "vertex", vertex: { digest, name, inputs: [] }, time: now() });
  emit({ kind: "started", digest, time: now() });
  try {
    const result = await act();
    emit({ kind: "completed", digest, time: now(), cached: false });
    return result;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    emit({ kind: "completed", digest, time: now(), cached: false, error: message });
    throw error;
  }
}
