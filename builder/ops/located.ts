import { TsbuildError } from "../../native/errors.ts";
import { DockerfileError } from "../base/error.ts";
import { withSpaceHint } from "../base/space-error.ts";
import type { Vertex } from "../graph/vertex.ts";
import type { Op } from "../solve/op.ts";

/** The op whose errors carry the place of the vertex's instruction. */
export function located(op: Op, vertex: Vertex, source: string): Op {
  const place = async <T>(act: () => Promise<T>): Promise<T> => {
    try {
      return await act();
    } catch (error) {
      throw locate(withSpaceHint(error), vertex, source);
    }
  };
  const { contentKey, recorded, silent } = op;
  return {
    recorded,
    ...(silent === undefined ? {} : { silent }),
    key: (...args) => place(async () => await op.key(...args)),
    ...(contentKey === undefined ? {} : { contentKey: (...args) => place(async () => await contentKey(...args)) }),
    exec: (...args) => place(async () => await op.exec(...args)),
  };
}

function locate(error: unknown, vertex: Vertex, source: string): unknown {
  if (!(error instanceof TsbuildError) || error instanceof DockerfileError || vertex.location === undefined)
    return error;
  return new DockerfileError(error.message, {
    code: error.code,
    cause: error,
    notes: error.notes,
    location: vertex.location,
    source,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  });
}
