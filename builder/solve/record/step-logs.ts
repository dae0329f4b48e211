import { closeSync, openSync, writeSync } from "node:fs";

/**
 * Files that take all that steps print. A disk that is full ends a log and never a build; nothing is flushed.
 */
export class StepLogs implements Disposable {
  readonly #path: (name: string) => string;
  readonly #open = new Map<string, number>();
  readonly #broken = new Set<string>();

  /** `path` gives the place of a file by its name and makes what it needs. */
  constructor(path: (name: string) => string) {
    this.#path = path;
  }

  write(name: string, data: Uint8Array): void {
    if (this.#broken.has(name)) return;
    try {
      let fd = this.#open.get(name);
      if (fd === undefined) this.#open.set(name, (fd = openSync(this.#path(name), "a", 0o600)));
      for (let at = 0; at < data.byteLength;) at += writeSync(fd, data, at);
    } catch {
      this.#broken.add(name);
    }
  }

  /** No more comes for the file. */
  end(name: string): void {
    const fd = this.#open.get(name);
    if (fd !== undefined) closeSync(fd);
    this.#open.delete(name);
  }

  [Symbol.dispose](): void {
    for (const name of this.#open.keys()) this.end(name);
  }
}
