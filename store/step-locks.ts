import { join } from "node:path";
import { isByteLocked, tryLockByte } from "../native/range-lock.ts";
import { splitDigest, type Digest } from "./oci/digest.ts";

/** Who waits for a step of another build holds this byte, shared. */
const waiting = 0;
/** Between two tries of one who waits, in milliseconds. */
const pause = 15;

/**
 * Lets one build at a time run the step of a key. The holder keeps the lock until the result can be found; a holder
 * that dies lets go. Keys whose first 48 bits are equal exclude each other for no reason, which is only slow.
 */
export class StepLocks {
  readonly #file: string;

  constructor(root: string) {
    this.#file = join(root, "steps.lock");
  }

  tryLock(key: Digest): Disposable | undefined {
    return tryLockByte(this.#file, byteOf(key));
  }

  /** Waits, and lets the holder know that somebody does. */
  async lock(key: Digest, signal: AbortSignal): Promise<Disposable> {
    using _wanted = tryLockByte(this.#file, waiting, "shared");
    for (;;) {
      signal.throwIfAborted();
      const held = this.tryLock(key);
      if (held !== undefined) return held;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  /** Whether a build waits for a step of another one. */
  wanted(): boolean {
    return isByteLocked(this.#file, waiting);
  }
}

function byteOf(key: Digest): number {
  return 1 + Number.parseInt(splitDigest(key).hex.slice(0, 12), 16);
}
