import { hash } from "node:crypto";
import ssri from "ssri";
import { TsbuildError } from "../../native/errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { splitDigest } from "../oci/digest.ts";

const damaged = "the source is damaged or lies: try again, or another mirror";

/** Takes bytes and tells at the end whether they are what a descriptor names. */
export class Verifier {
  readonly #desc: Descriptor;
  readonly #hash: ReturnType<typeof ssri.create>;
  #size = 0;

  constructor(desc: Descriptor) {
    this.#desc = desc;
    this.#hash = ssri.create({ algorithms: [splitDigest(desc.digest).algorithm] });
  }

  /** @throws E_SIZE_MISMATCH as soon as there are too many */
  update(bytes: Uint8Array): void {
    this.#size += bytes.byteLength;
    if (this.#size > this.#desc.size) throw sizeError(this.#desc, `more than ${this.#desc.size}`);
    this.#hash.update(bytes);
  }

  /** @throws E_SIZE_MISMATCH, E_DIGEST_MISMATCH */
  finish(): void {
    const hex = ssri.parse(String(this.#hash.digest()), { single: true })?.hexDigest() ?? "";
    checkResult(this.#desc, this.#size, hex);
  }
}

/** Whether these are all the bytes that the descriptor names. @throws E_SIZE_MISMATCH, E_DIGEST_MISMATCH */
export function checkBytes(desc: Descriptor, bytes: Uint8Array): void {
  checkResult(desc, bytes.byteLength, hash(splitDigest(desc.digest).algorithm, bytes));
}

/** @throws E_SIZE_MISMATCH */
export function checkSize(desc: Descriptor, size: number): void {
  if (size !== desc.size) throw sizeError(desc, String(size));
}

function checkResult(desc: Descriptor, size: number, hex: string): void {
  checkSize(desc, size);
  if (hex === splitDigest(desc.digest).hex) return;
  throw new TsbuildError(`Cannot accept ${desc.digest}: the bytes have another digest, …${hex.slice(-12)}`, {
    code: "E_DIGEST_MISMATCH",
    hint: damaged,
  });
}

function sizeError(desc: Descriptor, got: string): TsbuildError {
  return new TsbuildError(`Cannot accept ${desc.digest}: got ${got} bytes, expected ${desc.size}`, {
    code: "E_SIZE_MISMATCH",
    hint: damaged,
  });
}

/** Passes bytes through and fails at their end when they are not what the descriptor names. */
export async function* verified(desc: Descriptor, bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const verifier = new Verifier(desc);
  for await (const chunk of bytes) {
    verifier.update(chunk);
    yield chunk;
  }
  verifier.finish();
}
