import { mkdirSync } from "node:fs";
import { clearWorkDirectory } from "../../native/overlay-work.ts";

/** Until the container that comes next is on its way, in ms: what the last one left is removed beside its start. */
const pause = 1;

/**
 * Work directories of overlays (overlayfs's `workdir`): one after another can use the same, and making and removing one
 * takes longer than the mount. After dispose they are the caller's to remove.
 */
export class WorkDirectories implements Disposable {
  readonly #free: string[] = [];
  readonly #used: string[] = [];
  readonly #make: () => string;
  #clearing: NodeJS.Timeout | undefined;

  /** `make` gives the path of a new directory, on the file system of the upper directories. */
  constructor(make: () => string) {
    this.#make = make;
  }

  /** An empty one that nobody uses. */
  take(): string {
    if (this.#used.length > 0) this.#clearing ??= setTimeout(() => this.#clear(), pause).unref();
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const path = this.#make();
    mkdirSync(path, { mode: 0o700 });
    return path;
  }

  /** Takes one back whose mount is gone. */
  giveBack(path: string): void {
    this.#used.push(path);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#clearing);
    this.#used.length = 0;
  }

  #clear(): void {
    this.#clearing = undefined;
    for (let path = this.#used.pop(); path !== undefined; path = this.#used.pop()) {
      try {
        clearWorkDirectory(path);
        this.#free.push(path);
      } catch {
        // Another one will be made.
      }
    }
  }
}
