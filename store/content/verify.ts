import ssri from "ssri";
import { TsbuildError } from "../../native/errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { splitDigest } from "../oci/digest.ts";

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
    if (this.#size > this.#desc.size) throw this.#sizeError(`more than ${this.#desc.size}`);
    this.#hash.update(bytes);
  }

  /** @throws E_SIZE_MISMATCH, E_DIGEST_MISMATCH */
  finish(): void {
    if (this.#size !== this.#desc.size) throw this.#sizeError(String(this.#size));
    const hex = ssri.parse(String(this.#hash.digest()), { single: true })?.hexDigest() ?? "";
    if (hex === splitDigest(this.#desc.digest).hex) return;
    throw new TsbuildError(`Cannot accept ${this.#desc.digest}: the bytes have another digest, …${hex.slice(-12)}`, {
      code: "E_DIGEST_MISMATCH",
      hint: "the source is damaged or lies: try again, or another mirror",
    });
  }

  #sizeError(got: string): TsbuildError {
    return new TsbuildError(`Cannot accept ${this.#desc.digest}: got ${got} bytes, expected ${this.#desc.size}`, {
      code: "E_SIZE_MISMATCH",
    });
  }
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
