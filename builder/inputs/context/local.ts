import { Root } from "../../../native/path.ts";
import type { IgnoreMatcher } from "../../base/patterns/ignore.ts";
import { hashFile } from "../files/hash-file.ts";
import type { SourceTree } from "../files/tree.ts";
import { digestOf, type Digest } from "../../../store/oci/digest.ts";
import type { HashCache } from "./hash-cache.ts";
import type { ContextMemo } from "./memo.ts";

/** Below so many files a digest is computed about as fast as it is looked up. */
const worthRemembering = 500;

/** Advice where no directory of the user's has the files. */
export const inArchive = "look at what is there: list the archive or the repository";

/** A directory of the host as build context: everything belongs to root, the ignore file hides what it names. */
export class LocalContext implements SourceTree {
  readonly root: Root;
  readonly name: string;
  readonly socketsAsFiles: boolean = true;
  readonly whereToLook: string;
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  readonly #ignore: IgnoreMatcher | undefined;
  readonly #hashes: HashCache;
  readonly #memo: ContextMemo | undefined;
  /** Directories found hidden with all below. */
  readonly #hidden = new Set<string>();
  #files = 0;

  constructor(options: {
    /** What messages call it: `the build context`. */
    readonly name: string;
    readonly directory: string;
    readonly whereToLook?: string;
    /** Owners as on disk. */
    readonly keepOwners?: boolean;
    readonly ignore: IgnoreMatcher | undefined;
    readonly hashes: HashCache;
    /** Without it nothing is remembered. */
    readonly memo: ContextMemo | undefined;
  }) {
    this.name = options.name;
    this.whereToLook = options.whereToLook ?? "look at what is there: ls in the context directory";
    this.owner = options.keepOwners === true ? undefined : { uid: 0, gid: 0 };
    this.root = Root.open(options.directory);
    this.#ignore = options.ignore;
    this.#hashes = options.hashes;
    this.#memo = options.memo;
  }

  excludes(path: string): boolean {
    return this.#ignore?.excludes(path) ?? false;
  }

  prunes(path: string): boolean {
    if (this.#ignore?.canPrune(path) !== true) return false;
    this.#hidden.add(path);
    return true;
  }

  whyExcluded(path: string): string | undefined {
    return this.#ignore?.whichLine(path);
  }

  get ignoreFile(): string | undefined {
    return this.#ignore === undefined ? undefined : `${this.#ignore.file} ${digestOf(this.#ignore.text)}`;
  }

  hash(file: Parameters<SourceTree["hash"]>[0]): string {
    this.#files++;
    const attributes = this.owner === undefined;
    return this.#hashes.hash(file.path, file.stat, () =>
      hashFile(file.dir, file.name, { size: file.stat.size, attributes }),
    );
  }

  remembered(path: string, request: string, compute: () => Digest): Digest {
    const wanted = { root: this.root, path, request: JSON.stringify([path, request, this.#ignore?.text]) };
    const known = this.#memo?.find(wanted);
    if (known !== undefined) return known;
    const began = Date.now();
    const digest = compute();
    if (this.#files >= worthRemembering) this.#memo?.keep(wanted, { digest, hidden: this.#hidden, began });
    return digest;
  }

  [Symbol.dispose](): void {
    this.root[Symbol.dispose]();
  }
}
