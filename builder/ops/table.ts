import type { NamedImage } from "../../store/oci/image.ts";
import type { OpTable } from "../solve/op.ts";
import type { Vertex } from "../graph/vertex.ts";
import type { ImageSource } from "../inputs/source/image/images.ts";
import { copyOp } from "./copy/op.ts";
import type { Sources } from "./copy/readers.ts";
import { gitOp } from "./git.ts";
import { httpOp } from "./http.ts";
import { imageOp } from "./image.ts";
import { linkOp } from "./link.ts";
import { mkdirOp } from "./mkdir.ts";
import { contextOp, scratchOp } from "./plain.ts";
import { runOp, type RunSettings } from "./run.ts";
import { squashOp } from "./squash.ts";
import { located } from "./located.ts";
import type { Op } from "../solve/op.ts";

/** What the ops of one build share. */
export interface OpResources {
  readonly source: ImageSource;
  /** Images by the digest of their manifest. */
  readonly images: ReadonlyMap<string, NamedImage>;
  readonly sources: Sources;
  readonly run: RunSettings;
}

/** The op of each vertex, made once. */
export function opTable(resources: OpResources): OpTable {
  const made = new Map<Vertex, Op>();
  return (vertex) => {
    const known = made.get(vertex) ?? located(makeOp(vertex, resources), vertex, resources.run.source);
    made.set(vertex, known);
    return known;
  };
}

function makeOp(vertex: Vertex, resources: OpResources): Op {
  const { op } = vertex;
  switch (op.kind) {
    case "scratch":
      return scratchOp;
    case "context":
      return contextOp;
    case "image": {
      const image = resources.images.get(op.manifest);
      if (image === undefined) throw new RangeError(`no image ${op.manifest}`);
      return imageOp(op, resources.source, image);
    }
    case "http":
      return httpOp(op, resources.sources.http, resources.sources.trees);
    case "git":
      return gitOp(op, resources.sources.git, resources.sources.trees);
    case "run":
      return runOp(op, resources.run);
    case "copy":
      return copyOp(op, resources.sources);
    case "link":
      return linkOp;
    case "squash":
      return squashOp(op);
    case "mkdir":
      return mkdirOp(op);
    default:
      return op satisfies never;
  }
}
