import { Root } from "../../native/path.ts";
import type { IgnoreMatcher } from "../dockerfile/ignore.ts";
import { hashFile } from "../ops/copy/hash-file.ts";
import type { SourceTree } from "../ops/copy/tree.ts";
import type { HashCache } from "./hash-cache.ts";

/** A directory of the host as build context: everything belongs to root, the ignore file hides what it names. */
export class LocalContext implements SourceTree {
  readonly root: Root;
  readonly name = "the build context";
  readonly owner: { readonly uid: number; readonly gid: number } = { uid: 0, gid: 0 };
  readonly #ignore: IgnoreMatcher | undefined;
  readonly #hashes: HashCache;

  constructor(options: {
    readonly directory: string;
    readonly ignore: IgnoreMatcher | undefined;
    readonly hashes: HashCache;
  }) {
    this.root = Root.open(options.directory);
    this.#ignore = options.ignore;
    this.#hashes = options.hashes;
  }

  excludes(path: string): boolean {
    return this.#ignore?.excludes(path) ?? false;
  }

  prunes(path: string): boolean {
    return this.#ignore?.canPrune(path) ?? false;
  }

  whyExcluded(path: string): string | undefined {
    return this.#ignore?.whichLine(path);
  }

  hash(file: Parameters<SourceTree["hash"]>[0]): string {
    return this.#hashes.hash(file.path, file.stat, () => hashFile(file.dir, file.name));
  }

  [Symbol.dispose](): void {
    this.root[Symbol.dispose]();
  }
}
