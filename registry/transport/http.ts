import type { Dispatcher } from "undici";
import { monotonic } from "../../native/clock.ts";
import type { TsbuildError } from "../../native/errors.ts";
import type { TlsOptions } from "../hosts/certificates.ts";
import type { RegistryOptions } from "../options.ts";
import { dispatcherFor, isUntrusted } from "./dispatcher.ts";
import { StalledError, unreachable } from "./errors.ts";
import { defaultPatience } from "./retry.ts";

type Undici = typeof import("undici");

/** An answer whose body is still to be read: by iterating it, or by discard(). */
export interface HttpAnswer {
  readonly status: number;
  readonly url: string;
  header(name: string): string | undefined;
  body(): AsyncIterable<Uint8Array>;
  /** The body up to a limit of bytes; a longer one is cut. All of it has to come within the client's patience. */
  bytes(limit: number): Promise<Buffer>;
  /** As bytes(), as text. */
  text(limit?: number): Promise<string>;
  discard(): Promise<void>;
}

export interface HttpRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal | undefined;
  /** How this server is trusted, beyond the usual. */
  readonly tls?: TlsOptions | undefined;
}

/** Who was sent a blob may have to read it once more before the answer: so many times the patience. */
const uploadPatience = 10;
/** Bytes that have to come, or else the server only keeps the connection open. */
const slowest = 4096;
/** For what is left of an answer that nobody reads. */
const discardPatience = 2_000;
const maxText = 64 << 10;

/** Makes the error of a request that got no answer, or of a body that broke off. */
export type HttpFailure = (origin: string, cause: unknown) => TsbuildError;

/**
 * HTTP with keep-alive and proxies, without redirects and retries of its own. undici is imported with the first
 * request: a build that finds everything never pays for it.
 */
export class HttpClient {
  readonly #options: Pick<RegistryOptions, "env" | "patience">;
  readonly #patience: number;
  readonly #failure: HttpFailure;
  #undici: Promise<Undici> | undefined;
  readonly #opened: Dispatcher[] = [];
  readonly #dispatchers = new Map<TlsOptions | undefined, Dispatcher>();
  /** The authorities that the machine trusts are read when those of Node's do not do: that takes 50 ms. */
  #systemTrust = false;

  constructor(options: Pick<RegistryOptions, "env" | "patience">, failure?: HttpFailure) {
    this.#options = options;
    this.#patience = options.patience ?? defaultPatience;
    this.#failure = failure ?? ((origin, cause) => unreachable(origin, cause, options.env));
  }

  /** @throws the failure when there is no answer */
  async request(url: string, request: HttpRequest): Promise<HttpAnswer> {
    const tried = this.#systemTrust;
    try {
      return await this.#send(url, request);
    } catch (error) {
      // Nothing of the request was sent yet.
      if (tried || !isUntrusted(error)) throw error;
      if (!this.#systemTrust) this.#dispatchers.clear();
      this.#systemTrust = true;
      return await this.#send(url, request);
    }
  }

  async #send(url: string, request: HttpRequest): Promise<HttpAnswer> {
    this.#undici ??= import("undici");
    const undici = await this.#undici;
    const dispatcher = this.#dispatcher(undici, request.tls);
    try {
      const { statusCode, headers, body } = await undici.request(url, {
        method: request.method,
        headers: { "user-agent": "tsbuild", ...request.headers },
        body:
          request.body === undefined
            ? null
            : typeof request.body === "string" || request.body instanceof Uint8Array
              ? request.body
              : iterable(request.body),
        signal: request.signal ?? null,
        dispatcher,
        headersTimeout: this.#patience * (request.method === "PUT" ? uploadPatience : 1),
        bodyTimeout: this.#patience,
      });
      const common = { patience: this.#patience, failure: this.#failure };
      return new Answer({ url, status: statusCode, headers, body, ...common });
    } catch (error) {
      if (request.signal?.aborted === true) throw request.signal.reason;
      throw this.#failure(new URL(url).origin, error);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#opened.splice(0).map(async (one) => await one.destroy()));
  }

  #dispatcher(undici: Undici, tls: TlsOptions | undefined): Dispatcher {
    let dispatcher = this.#dispatchers.get(tls);
    if (dispatcher === undefined) {
      dispatcher = dispatcherFor(undici, this.#options.env ?? {}, { tls, systemTrust: this.#systemTrust });
      this.#dispatchers.set(tls, dispatcher);
      this.#opened.push(dispatcher);
    }
    return dispatcher;
  }
}

/** undici takes async iterables as bodies but not by their type. */
function iterable(body: AsyncIterable<Uint8Array>): import("node:stream").Readable {
  return body as unknown as import("node:stream").Readable;
}

class Answer implements HttpAnswer {
  readonly status: number;
  readonly url: string;
  readonly #headers: Record<string, string | string[] | undefined>;
  readonly #body: Dispatcher.ResponseData["body"];
  readonly #patience: number;
  readonly #failure: HttpFailure;

  constructor(init: {
    readonly url: string;
    readonly status: number;
    readonly headers: Record<string, string | string[] | undefined>;
    readonly body: Dispatcher.ResponseData["body"];
    readonly patience: number;
    readonly failure: HttpFailure;
  }) {
    this.url = init.url;
    this.status = init.status;
    this.#headers = init.headers;
    this.#body = init.body;
    this.#patience = init.patience;
    this.#failure = init.failure;
  }

  header(name: string): string | undefined {
    const value = this.#headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  async *body(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of this.#paced()) yield chunk;
    } catch (error) {
      throw this.#failure(new URL(this.url).origin, error);
    }
  }

  /** The time that whoever reads takes does not count. */
  async *#paced(): AsyncGenerator<Uint8Array> {
    let [waited, came, since] = [0, 0, monotonic()];
    for await (const chunk of this.#body) {
      const bytes = toBytes(chunk);
      waited += monotonic() - since;
      came += bytes.byteLength;
      if (waited > this.#patience && came < slowest) throw new StalledError();
      if (waited > this.#patience) [waited, came] = [0, 0];
      yield bytes;
      since = monotonic();
    }
  }

  async bytes(limit: number): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    const timer = setTimeout(() => this.#body.destroy(new StalledError()), this.#patience);
    try {
      for await (const chunk of this.body()) {
        chunks.push(chunk);
        size += chunk.byteLength;
        if (size >= limit) break;
      }
    } finally {
      clearTimeout(timer);
    }
    return Buffer.concat(chunks).subarray(0, limit);
  }

  async text(limit: number = maxText): Promise<string> {
    return (await this.bytes(limit)).toString("utf8");
  }

  async discard(): Promise<void> {
    const signal = AbortSignal.timeout(discardPatience);
    await this.#body.dump({ limit: maxText, signal }).catch(() => undefined);
  }
}

function toBytes(chunk: unknown): Uint8Array {
  return chunk instanceof Uint8Array ? chunk : Buffer.from(String(chunk));
}
