import { CreationDefaults } from "../../../native/new-file.ts";
import type { Dir } from "../../../native/path.ts";

/** A directory that a copy writes to; `fresh`: this copy made it, and nothing is in it but what it puts there. */
export interface Opened {
  readonly dir: Dir;
  readonly fresh: boolean;
}

/** A directory of the destination, which may not be there before it is opened. */
export class TargetDir implements Disposable {
  readonly defaults: CreationDefaults = new CreationDefaults();
  readonly #make: () => Opened;
  #opened: Opened | undefined;

  /** `make` is called once, when something is to be written; the directory belongs to this value then. */
  constructor(make: () => Opened) {
    this.#make = make;
  }

  open(): Opened {
    return (this.#opened ??= this.#make());
  }

  [Symbol.dispose](): void {
    this.#opened?.dir[Symbol.dispose]();
  }
}
