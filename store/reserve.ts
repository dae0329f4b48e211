import { rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freeBytes } from "./open-error.ts";

/** Enough for the database to forget all that it has, a part at a time. */
const size = 1 << 20;

/**
 * A file that only takes up space: who has to free some on a full disk gives it up first, because also to forget
 * something is written down. Without it a full store could not be pruned.
 */
export class Reserve {
  readonly #root: string;
  readonly #file: string;

  constructor(root: string) {
    this.#root = root;
    this.#file = join(root, "reserve");
  }

  /** Takes up the space if it is not, as long as it is no large part of what is left. */
  keep(): void {
    try {
      if (statSync(this.#file, { throwIfNoEntry: false })?.size === size) return;
      if (freeBytes(this.#root) > 4 * size) writeFileSync(this.#file, Buffer.alloc(size), { mode: 0o600 });
    } catch {
      rmSync(this.#file, { force: true }); // the store does without
    }
  }

  /** Gives the space up if there is hardly any other. */
  giveUp(): void {
    if (freeBytes(this.#root) < size) rmSync(this.#file, { force: true });
  }
}
