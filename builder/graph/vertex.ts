import type { Digest } from "../../store/oci/digest.ts";
import type { SourceLocation } from "../dockerfile/location.ts";

/** An arrow of the graph: output `output` of `vertex`. */
export interface Edge {
  readonly vertex: Vertex;
  readonly output: number;
}

/** A node of the step graph: what to do (`op`, plain JSON) on which inputs. `digest` names both. */
export interface Vertex {
  readonly digest: Digest;
  readonly op: OpSpec;
  readonly inputs: readonly Edge[];
  readonly name: string;
  readonly location: SourceLocation | undefined;
}

/** Placeholder of the union of op values, completed by graph/opspec.ts. */
export type OpSpec = { readonly kind: string };
