import { errorMessage, TsbuildError } from "../../../native/errors.ts";
import { SecretMask } from "./secret-mask.ts";

/** Gives the value of a secret when a step asks for it; text is UTF-8. */
export type SecretProvider = () => string | Uint8Array | Promise<string | Uint8Array>;

/** Where steps and sources get secrets from, by their names. */
export interface SecretSource {
  /** undefined: nobody gave one of that name. @throws E_SECRET_READ, E_SECRET_SIZE */
  get(id: string): Promise<Uint8Array | undefined>;
}

/** Bytes of the largest secret, as BuildKit has it. */
export const maxSecretSize: number = 500 << 10;

/** The secrets of one build: each is asked for once, and what was given out is masked in every log from then on. */
export class Secrets implements SecretSource {
  readonly mask: SecretMask = new SecretMask();
  readonly #providers: ReadonlyMap<string, SecretProvider>;
  readonly #values = new Map<string, Promise<Uint8Array>>();

  constructor(providers: Readonly<Record<string, SecretProvider>>) {
    this.#providers = new Map(Object.entries(providers));
  }

  async get(id: string): Promise<Uint8Array | undefined> {
    const provider = this.#providers.get(id);
    if (provider === undefined) return undefined;
    const value = this.#values.get(id) ?? this.#read(id, provider);
    this.#values.set(id, value);
    return await value;
  }

  async #read(id: string, provider: SecretProvider): Promise<Uint8Array> {
    let value: Uint8Array;
    try {
      const given = await provider();
      value = typeof given === "string" ? Buffer.from(given) : given;
    } catch (error) {
      throw new TsbuildError(`Cannot read the secret ${id}: ${errorMessage(error)}`, {
        code: "E_SECRET_READ",
        cause: error,
      });
    }
    if (value.byteLength > maxSecretSize) {
      throw new TsbuildError(`Cannot use the secret ${id}: it has more than 500 KiB`, {
        code: "E_SECRET_SIZE",
        hint: "give a path to large files by --build-context and mount that",
      });
    }
    this.mask.add(value);
    return value;
  }
}
