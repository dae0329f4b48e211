import type { Descriptor } from "./descriptor.ts";

/** A document as it is stored, and what it says: parsed once, its bytes kept. */
export interface Document<T> {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly value: T;
}
