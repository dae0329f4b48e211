import { join } from "node:path";
import { ByteLocks } from "../native/range-lock.ts";
import { digestOf, isDigest, splitDigest } from "./oci/digest.ts";

/** Between two tries of one who waits for a collector, in milliseconds; it has a name alone for a moment only. */
const pause = 2;

/**
 * What this process relies on: every blob, snapshot and build record that it looked at or made is held, shared with
 * others, until it lets go of the store or dies. A collector removes only what nobody else holds, and has it alone while
 * it does. To hold something and then see that it is there is to keep it; in the other order it may be gone.
 *
 * A lock is a byte of one file, chosen by the name. Names that have the same keep each other, which does no harm.
 */
export class Holds implements Disposable {
  readonly #locks: ByteLocks;
  readonly #held = new Set<number>();

  constructor(root: string) {
    this.#locks = new ByteLocks(join(root, "holds"));
  }

  /** False: a collector is removing it. */
  tryHold(name: string): boolean {
    const at = byteOf(name);
    if (this.#held.has(at)) return true;
    if (!this.#locks.share(at)) return false;
    this.#held.add(at);
    return true;
  }

  /** Waits until a collector that has it is done. */
  async hold(name: string): Promise<void> {
    while (!this.tryHold(name)) await new Promise((resolve) => setTimeout(resolve, pause));
  }

  /** Lets go of all but these. */
  keepOnly(names: Iterable<string>): void {
    const kept = new Set([...names].map(byteOf));
    for (const at of this.#held) {
      if (kept.has(at)) continue;
      this.#locks.letGo(at);
      this.#held.delete(at);
    }
  }

  /** Tells of a name whether another process holds it. Asks the kernel once where nobody holds anything. */
  others(): (name: string) => boolean {
    return this.#locks.hasOthers() ? (name) => this.#locks.hasOthers(byteOf(name)) : () => false;
  }

  /** Has all of them alone that nobody else holds, until `act` is done; `act` is told which. */
  claimed<T>(act: (claim: (name: string) => boolean) => T): T {
    const taken: number[] = [];
    const claim = (name: string): boolean => {
      const at = byteOf(name);
      if (!this.#locks.take(at)) return false;
      taken.push(at);
      return true;
    };
    try {
      return act(claim);
    } finally {
      for (const at of taken) {
        if (this.#held.has(at)) this.#locks.share(at);
        else this.#locks.letGo(at);
      }
    }
  }

  [Symbol.dispose](): void {
    this.#locks[Symbol.dispose]();
  }
}

/** 48 bits of a digest; of `LEASE-N`, the name of a snapshot, the lease and N; of other names those of their hash. */
function byteOf(name: string): number {
  const snapshot = /^([0-9a-f]{12})-(\d{1,9})$/.exec(name);
  if (snapshot !== null) return Number.parseInt(snapshot[1] ?? "", 16) + Number(snapshot[2]);
  return Number.parseInt(splitDigest(isDigest(name) ? name : digestOf(name)).hex.slice(0, 12), 16);
}
