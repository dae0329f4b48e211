import { createHash, type Hash } from "node:crypto";
import { loadKoffi, type Koffi } from "./koffi.ts";

/** Less than this is hashed at once: a call on another thread takes as long as hashing 30 KiB. */
const smallest = 128 << 10;

/** OpenSSL's functions, which Node's executable has for addons. @see https://nodejs.org/api/addons.html */
const prototypes = {
  create: "uint64_t EVP_MD_CTX_new()",
  sha256: "uint64_t EVP_sha256()",
  start: "int EVP_DigestInit_ex(uint64_t, uint64_t, uint64_t)",
  update: "int EVP_DigestUpdate(uint64_t, void *, size_t)",
  finish: "int EVP_DigestFinal_ex(uint64_t, void *, void *)",
  free: "void EVP_MD_CTX_free(uint64_t)",
} as const;

type OpenSSL = Readonly<Record<keyof typeof prototypes, ReturnType<ReturnType<Koffi["load"]>["func"]>>>;

let openssl: OpenSSL | undefined;
let missing = false;

/** undefined for a Node that was built without them. */
function findOpenSSL(): OpenSSL | undefined {
  if (missing || openssl !== undefined) return openssl;
  try {
    const program = loadKoffi().load(null);
    const { create, sha256, start, update, finish, free } = prototypes;
    openssl = {
      create: program.func(create),
      sha256: program.func(sha256),
      start: program.func(start),
      update: program.func(update),
      finish: program.func(finish),
      free: program.func(free),
    };
  } catch {
    missing = true;
  }
  return openssl;
}

/** A sha256 of bytes that come in pieces, made beside what this thread does meanwhile. */
export interface Sha256 extends AsyncDisposable {
  /**
   * Takes the next bytes, which stay as they are until the promise is fulfilled. The next call and digest() come after
   * that; undefined: they may come at once.
   */
  update(bytes: Uint8Array): Promise<void> | undefined;
  /** In hex, of all bytes; once. */
  digest(): string;
}

/** Starts one. Pieces of a MiB each are worth the change of threads. */
export function sha256(): Sha256 {
  const functions = findOpenSSL();
  return functions === undefined ? new SameThread() : new OtherThread(functions);
}

class OtherThread implements Sha256 {
  readonly #openssl: OpenSSL;
  readonly #context: unknown;
  /** The call that runs, and its bytes: they are the other thread's too. */
  #running: { readonly done: Promise<void>; readonly bytes: Uint8Array } | undefined;

  constructor(functions: OpenSSL) {
    this.#openssl = functions;
    this.#context = functions.create();
    check(functions.start(this.#context, functions.sha256(), 0));
  }

  update(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#running !== undefined) throw new RangeError("the bytes before are not hashed yet");
    if (bytes.byteLength < smallest) {
      check(this.#openssl.update(this.#context, bytes, bytes.byteLength));
      return undefined;
    }
    const done = this.#start(bytes);
    this.#running = { done, bytes };
    return done;
  }

  async #start(bytes: Uint8Array): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#openssl.update.async(this.#context, bytes, bytes.byteLength, (error: unknown, result: unknown) =>
      error === null || error === undefined ? resolve(result) : reject(error),
    );
    try {
      check(await promise);
    } finally {
      this.#running = undefined;
    }
  }

  digest(): string {
    if (this.#running !== undefined) throw new RangeError("the last bytes are not hashed yet");
    const result = Buffer.alloc(32);
    check(this.#openssl.finish(this.#context, result, null));
    return result.toString("hex");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.done.catch(() => undefined);
    this.#openssl.free(this.#context);
  }
}

class SameThread implements Sha256 {
  readonly #hash: Hash = createHash("sha256");

  update(bytes: Uint8Array): undefined {
    this.#hash.update(bytes);
  }

  digest(): string {
    return this.#hash.digest("hex");
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function check(result: unknown): void {
  if (result !== 1) throw new Error("OpenSSL cannot compute a sha256");
}
