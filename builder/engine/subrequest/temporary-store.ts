import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { makeTemporaryDirectory, type TemporaryDirectory } from "../../../native/temporary-directory.ts";
import { openStore } from "../../../store/open.ts";
import type { Store } from "../../../store/store.ts";

/** A store for what has to be fetched and not kept. Nothing is made before it is asked for; dispose removes it all. */
export class TemporaryStore implements AsyncDisposable {
  #made: TemporaryDirectory | undefined;
  #store: Promise<Store> | undefined;

  /** A directory that only this user may enter. */
  directory(): string {
    this.#made ??= makeTemporaryDirectory("tsbuild-check");
    return this.#made.path;
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
    this.#made?.[Symbol.dispose]();
    this.#made = undefined;
  }
}
