import { join } from "node:path";
import { digestOf, splitDigest } from "../../../store/oci/digest.ts";
import type { IgnoreMatcher } from "../../base/patterns/ignore.ts";
import { HashCache } from "./hash-cache.ts";
import { LocalContext } from "./local.ts";
import { ContextMemo } from "./memo.ts";

/** A directory that a build reads, and what of it is hidden. */
export interface ContextDirectory {
  readonly directory: string;
  readonly ignore: IgnoreMatcher | undefined;
  /** What messages call it; default: by its name. */
  readonly label?: string;
  /** Advice for who names what is not there. */
  readonly whereToLook?: string;
  /** Owners as on disk: the files came out of an archive. Otherwise all belong to root. */
  readonly keepOwners?: boolean;
  /** What was read of it is not remembered: it is gone after the build. */
  readonly temporary?: boolean;
}

interface OpenTree extends ContextDirectory {
  readonly hashes: HashCache;
  readonly memo: ContextMemo | undefined;
}

/** The directories that are the contexts of a build: the main one is called "". */
export class ContextTrees {
  readonly #remembered: string;
  readonly #trees = new Map<string, OpenTree>();

  /** `root`: the store's. What was read of a directory is remembered there. */
  constructor(root: string) {
    this.#remembered = join(root, "contexts");
  }

  add(name: string, context: ContextDirectory): void {
    const known = [this.#remembered, splitDigest(digestOf(context.directory)).hex.slice(0, 32)] as const;
    this.#trees.set(name, {
      ...context,
      hashes: new HashCache(...known),
      memo: context.temporary === true ? undefined : new ContextMemo(...known),
    });
  }

  /** The caller disposes it. */
  open(name: string): LocalContext {
    const tree = this.#trees.get(name);
    if (tree === undefined) throw new RangeError(`no context ${name}`);
    const label = tree.label ?? (name === "" ? "the build context" : `the context ${name}`);
    return new LocalContext({ ...tree, name: label });
  }

  /** Keeps what was read for the next build. */
  save(): void {
    for (const { hashes, temporary } of this.#trees.values()) if (temporary !== true) hashes.save();
  }
}
