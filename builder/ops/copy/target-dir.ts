import type { Dir } from "../../../native/path.ts";

/** A directory that a copy writes to, which may not be there before it is opened. */
export interface TargetDir extends Disposable {
  open(): Dir;
}

/** One that is open. */
export class OpenDir implements TargetDir {
  readonly #dir: Dir;

  /** Takes over the directory. */
  constructor(dir: Dir) {
    this.#dir = dir;
  }

  open(): Dir {
    return this.#dir;
  }

  [Symbol.dispose](): void {
    this.#dir[Symbol.dispose]();
  }
}

/** One that is made when it is first needed. */
export class LazyDir implements TargetDir {
  readonly #make: () => Dir;
  #dir: Dir | undefined;

  constructor(make: () => Dir) {
    this.#make = make;
  }

  open(): Dir {
    return (this.#dir ??= this.#make());
  }

  [Symbol.dispose](): void {
    this.#dir?.[Symbol.dispose]();
  }
}
