import { digestOf } from "../../store/oci/digest.ts";
import type { HttpOp } from "../graph/opspec.ts";
import type { Vertex } from "../graph/vertex.ts";
import type { Op, OpContext } from "../solve/op.ts";
import type { HttpSource } from "../source/http/source.ts";
import { sourceProgress, type SourceProgress } from "../source/progress.ts";

/** A URL: its content names it. It is asked for when keys are computed; what it gave is then in the store. */
export function httpOp(op: HttpOp, source: HttpSource): Op {
  return {
    recorded: false,
    silent: true,
    async key(vertex, _inputs, context) {
      const content = await source.identify(op, progressOf(vertex, context));
      return {
        key: digestOf(JSON.stringify(["http", op.name, content])),
        inputs: () => ({ url: `${op.url} ${content}` }),
      };
    },
    async exec(vertex, _inputs, context) {
      await source.fetch(op, progressOf(vertex, context));
      return { snapshot: undefined, identity: Promise.resolve(undefined) };
    },
  };
}

/** What a source that is fetched for a vertex says. */
export function progressOf({ digest, name }: Vertex, { emit, signal }: OpContext): SourceProgress {
  return sourceProgress(emit, { digest, name }, signal);
}
