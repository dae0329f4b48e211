import { digestOf, type Digest } from "../../store/oci/digest.ts";
import type { SourceLocation } from "../base/location.ts";
import type { CacheLimit } from "./cache-limit.ts";
import type { OpSpec } from "./opspec.ts";

/** A node of the step graph: what to do (`op`, plain JSON) on which inputs. `digest` names both, not the name. */
export interface Vertex {
  readonly digest: Digest;
  readonly op: OpSpec;
  readonly inputs: readonly Vertex[];
  /** As progress shows it: `[build 2/5] RUN npm ci`. */
  readonly name: string;
  readonly location: SourceLocation | undefined;
  /** Which step it is, whatever its content: `build/2`. Explains a miss against the last build's same step. */
  readonly slot: string;
  /** Never taken from the cache (`--no-cache`). */
  readonly ignoreCache: boolean;
  /** Until when a result may be taken from the cache; undefined: for ever. Not part of what the step is. */
  readonly cacheLimit: CacheLimit | undefined;
  /** Names of the ARGs among a RUN's variables; the others are ENVs. Not part of what the step is. */
  readonly argNames: readonly string[];
}

/** The vertex of an op over its inputs. */
export function makeVertex(init: {
  readonly op: OpSpec;
  readonly inputs: readonly Vertex[];
  readonly name: string;
  readonly slot: string;
  readonly location?: SourceLocation | undefined;
  readonly ignoreCache?: boolean;
  readonly argNames?: readonly string[];
}): Vertex {
  const { op, inputs, name, slot, location, ignoreCache = false, argNames = [] } = init;
  const digest = digestOf(JSON.stringify([op, inputs.map((input) => input.digest)]));
  return { digest, op, inputs, name, slot, location, ignoreCache, argNames, cacheLimit: undefined };
}

/** The vertex of FROM scratch; `slot` as in Vertex. */
export function scratchVertex(slot: string): Vertex {
  return makeVertex({ op: { kind: "scratch" }, inputs: [], name: "FROM scratch", slot });
}

/** Every vertex that `root` needs and itself, inputs first, each once. A chain of any length takes no stack. */
export function reachable(root: Vertex): readonly Vertex[] {
  const found = new Set<Vertex>();
  const seen = new Set<Vertex>([root]);
  const way = [{ vertex: root, next: 0 }];
  for (let at = way.at(-1); at !== undefined; at = way.at(-1)) {
    const input = at.vertex.inputs[at.next++];
    if (input === undefined) {
      found.add(at.vertex);
      way.pop();
    } else if (!seen.has(input)) {
      seen.add(input);
      way.push({ vertex: input, next: 0 });
    }
  }
  return [...found];
}

/** The vertices that an instruction added on top of `below`, with the limit. */
export function limitCache(vertex: Vertex, below: Vertex, cacheLimit: CacheLimit): Vertex {
  if (vertex === below) return vertex;
  // COPY --link makes two: the layer, and what puts it in its place.
  const inputs =
    vertex.op.kind === "link"
      ? vertex.inputs.map((input, at) => (at === 0 ? input : limitCache(input, below, cacheLimit)))
      : vertex.inputs;
  return { ...vertex, inputs, cacheLimit };
}
