import type { Digest } from "../../../store/oci/digest.ts";
import { inArchive, type LocalContext } from "./local.ts";
import type { ContextTrees } from "./trees.ts";
import type { Workspace } from "./workspace.ts";

/** Directories that hold what vertices of a build brought from elsewhere; they are gone when it ends. */
export class FetchedTrees {
  readonly #trees: ContextTrees;
  readonly #workspace: Workspace;
  readonly #made = new Map<Digest, Promise<void>>();

  constructor(trees: ContextTrees, workspace: Workspace) {
    this.#trees = trees;
    this.#workspace = workspace;
  }

  /**
   * Has `fill` bring the tree of a vertex, once; it gives its directory, for which it may use the workspace. `label`: what
   * messages call it.
   */
  async make(vertex: Digest, label: string, fill: (workspace: Workspace) => Promise<string>): Promise<void> {
    const made = this.#made.get(vertex) ?? this.#fill(vertex, label, fill);
    this.#made.set(vertex, made);
    await made;
  }

  /** What was made for the vertex; the caller disposes it. */
  open(vertex: Digest): LocalContext {
    return this.#trees.open(vertex);
  }

  async #fill(vertex: Digest, label: string, fill: (workspace: Workspace) => Promise<string>): Promise<void> {
    const directory = await fill(this.#workspace);
    this.#trees.add(vertex, {
      directory,
      label,
      ignore: undefined,
      keepOwners: true,
      temporary: true,
      whereToLook: inArchive,
    });
  }
}
