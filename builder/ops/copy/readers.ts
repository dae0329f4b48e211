import type { SourceFile } from "../../inputs/files/source-file.ts";
import { closeFd } from "../../../native/syscall.ts";
import type { FetchedTrees } from "../../inputs/context/fetched-trees.ts";
import type { Vertex } from "../../graph/vertex.ts";
import type { OpContext } from "../../solve/op.ts";
import type { SolvedStep } from "../../solve/step.ts";
import { modifiedTime, type HttpSource } from "../../inputs/source/http/source.ts";
import type { GitSource } from "../../inputs/source/git/source.ts";
import { scratchDirectory } from "../../base/scratch-directory.ts";
import { progressOf } from "../source-progress.ts";
import { SnapshotTree } from "../../inputs/files/snapshot-tree.ts";
import type { SourceTree } from "../../inputs/files/tree.ts";

/** Where a copy reads from beside the store. */
export interface Sources {
  /** Opens the context of a name, "" the build context; the caller disposes it. */
  readonly openContext: (name: string) => SourceTree;
  readonly http: HttpSource;
  readonly git: GitSource;
  /** What vertices brought from elsewhere. */
  readonly trees: FetchedTrees;
}

/** Whether a solved input is a tree that was brought from elsewhere. */
export function isFetchedTree({ op }: Vertex): boolean {
  return op.kind === "git" || (op.kind === "http" && op.tree === true);
}

/** An input of a copy, open for reading. */
export type OpenInput =
  | { readonly kind: "tree"; readonly tree: SourceTree }
  | { readonly kind: "file"; readonly file: SourceFile };

/** Opens what a solved input is. The caller disposes it. */
export async function openInput(
  sources: Sources,
  { vertex, snapshot }: Pick<SolvedStep, "vertex" | "snapshot">,
  context: OpContext,
): Promise<OpenInput> {
  const { op } = vertex;
  if (op.kind === "context") return { kind: "tree", tree: sources.openContext(op.name) };
  if (isFetchedTree(vertex)) return { kind: "tree", tree: sources.trees.open(vertex.digest) };
  if (op.kind === "http") return { kind: "file", file: await urlFile(sources, vertex, context) };
  if (snapshot !== undefined) return { kind: "tree", tree: SnapshotTree.open(snapshot, "the source stage") };
  // FROM scratch without any file.
  const empty = scratchDirectory(context.store.scratch, "empty-");
  return { kind: "tree", tree: SnapshotTree.empty(empty, "the source stage") };
}

/** As BuildKit: 0600, changed when the server says so. */
async function urlFile({ http }: Sources, vertex: Vertex, context: OpContext): Promise<SourceFile> {
  const { op } = vertex;
  if (op.kind !== "http") throw new RangeError(`not a URL: ${vertex.name}`);
  const file = await http.fetch(op, progressOf(vertex, context));
  const fd = http.open(file);
  const close = (): void => closeFd(fd);
  return { name: op.name, fd, size: file.size, mode: 0o600, mtime: modifiedTime(file), [Symbol.dispose]: close };
}
