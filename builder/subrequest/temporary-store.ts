import { mkdirSync, mkdtempSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Root } from "../../native/path.ts";
import { temporaryPlace } from "../../native/temporary-place.ts";
import { openStore } from "../../store/open.ts";
import type { Store } from "../../store/store.ts";

/** A store for what has to be fetched and not kept. Nothing is made before it is asked for; dispose removes it all. */
export class TemporaryStore implements AsyncDisposable {
  #path: string | undefined;
  #store: Promise<Store> | undefined;

  /** A directory that only this user may enter. */
  directory(): string {
    this.#path ??= mkdtempSync(join(temporaryPlace(), "tsbuild-"));
    return this.#path;
  }

  async store(): Promise<Store> {
    if (this.#store === undefined) {
      const root = join(this.directory(), "store");
      mkdirSync(root, { mode: 0o700 });
      this.#store = openStore({ root });
    }
    return await this.#store;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#store)?.[Symbol.asyncDispose]();
    if (this.#path === undefined) return;
    using parent = Root.open(dirname(this.#path));
    parent.removeTree(basename(this.#path));
    this.#path = undefined;
  }
}
