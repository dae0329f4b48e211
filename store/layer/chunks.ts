import { addressOf, readAt } from "../../native/syscall.ts";

const largest = 1 << 20;
const smallest = 16 << 10;

/** Collects small pieces into chunks. There are two: one is filled while the last one taken is in use. */
export class Chunks {
  readonly #size: number;
  #filled: Chunk;
  #other: Chunk | undefined;
  #at = 0;

  /** `expected`: bytes in all. Chunks have up to 1 MiB, and not that much for a few bytes: V8 would collect garbage for it. */
  constructor(expected: number) {
    this.#size = Math.min(largest, Math.max(smallest, expected));
    this.#filled = new Chunk(this.#size);
  }

  get empty(): boolean {
    return this.#at === 0;
  }

  /** How many bytes the chunk can still take. */
  get room(): number {
    return this.#size - this.#at;
  }

  /** What was collected, valid until the next but one is taken. */
  take(): Uint8Array {
    const { bytes } = this.#filled;
    const taken = bytes.subarray(0, this.#at);
    [this.#filled, this.#other] = [this.#other ?? new Chunk(this.#size), this.#filled];
    this.#at = 0;
    return taken;
  }

  /** Reads up to so many bytes from a file, as long as there is room; 0 at its end. */
  read(fd: number, size: number): number {
    const got = readAt(fd, this.#filled.address + this.#at, Math.min(size, this.room));
    this.#at += got;
    return got;
  }

  /** Adds up to so many zeros, as long as there is room: how many that were. */
  zeros(size: number): number {
    const end = this.#at + Math.min(size, this.room);
    this.#filled.bytes.fill(0, this.#at, end);
    const added = end - this.#at;
    this.#at = end;
    return added;
  }

  /** Adds bytes; false where they do not fit with room to spare. */
  put(bytes: Uint8Array): boolean {
    if (bytes.byteLength >= this.room) return false;
    this.#filled.bytes.set(bytes, this.#at);
    this.#at += bytes.byteLength;
    return true;
  }

  /** Adds bytes; yields each chunk that they fill. */
  *split(bytes: Uint8Array): Generator<Uint8Array> {
    let rest = bytes;
    while (!this.put(rest)) {
      const part = rest.subarray(0, this.room);
      this.#filled.bytes.set(part, this.#at);
      this.#at += part.byteLength;
      rest = rest.subarray(part.byteLength);
      yield this.take();
    }
  }
}

class Chunk {
  readonly bytes: Buffer;
  readonly address: number;

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafeSlow(size);
    this.address = Number(addressOf(this.bytes));
  }
}
