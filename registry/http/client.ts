import type { Dispatcher } from "undici";
import { monotonic } from "../../native/clock.ts";
import { TsbuildError } from "../../native/errors.ts";
import type { Nearness, Reach } from "./address.ts";
import { Dispatchers } from "./dispatcher.ts";
import { StalledError } from "./failure.ts";
import { Proxies } from "./proxy.ts";
import type { Environment } from "./proxy-variable.ts";
import { defaultPatience } from "./retry.ts";
import { isUntrusted, type TlsOptions } from "./tls.ts";

type Undici = typeof import("undici");

/** An answer whose body is still to be read: by iterating it, or by discard(). */
export interface HttpAnswer {
  readonly status: number;
  readonly url: string;
  /** Where the server is that gave it. */
  readonly nearness: Nearness;
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
  /** What addresses it may go to; default: any, for a URL that the user named. */
  readonly reach?: Reach;
  /** Bytes that the server may have to read once more before it answers. */
  readonly stored?: number;
}

/** How servers are asked. */
export interface HttpOptions {
  /** Milliseconds without a byte after which a server is given up; default 30 s. */
  readonly patience?: number;
  /** For HTTP_PROXY, HTTPS_PROXY and NO_PROXY. */
  readonly env?: Environment;
}

/** Bytes that a server reads in a millisecond, at the least. */
const readingPace = 10_000;
/** Bytes that have to come, or else the server only keeps the connection open. */
const slowest = 4096;
/** For what is left of an answer that nobody reads. */
const discardPatience = 2_000;
const maxText = 64 << 10;

/** Makes the error of a request that got no answer, or of a body that broke off. `way`: by what proxy, if any. */
export type HttpFailure = (origin: string, cause: unknown, way: string | undefined) => TsbuildError;

/**
 * HTTP with keep-alive and proxies, without redirects and retries of its own. undici is imported with the first
 * request: a build that finds everything never pays for it.
 */
export class HttpClient {
  readonly patience: number;
  readonly #proxies: Proxies;
  readonly #failure: HttpFailure;
  #dispatchers: Promise<readonly [Undici, Dispatchers]> | undefined;

  /** `failure` makes the error of a request without an answer. */
  constructor(options: HttpOptions, failure: HttpFailure) {
    this.patience = options.patience ?? defaultPatience;
    this.#proxies = new Proxies(options.env);
    this.#failure = failure;
  }

  /** @throws the failure when there is no answer */
  async request(url: string, request: HttpRequest): Promise<HttpAnswer> {
    const [undici, dispatchers] = await (this.#dispatchers ??= this.#load());
    const tried = dispatchers.systemTrust;
    try {
      return await this.#send(undici, dispatchers, url, request);
    } catch (error) {
      // Nothing of the request was sent yet.
      if (tried || !isUntrusted(error)) throw error;
      dispatchers.trustSystem();
      return await this.#send(undici, dispatchers, url, request);
    }
  }

  async close(): Promise<void> {
    const loaded = await this.#dispatchers;
    this.#dispatchers = undefined;
    await loaded?.[1].close();
  }

  async #load(): Promise<readonly [Undici, Dispatchers]> {
    const undici = await import("undici");
    return [undici, new Dispatchers(undici, this.#proxies)];
  }

  async #send(undici: Undici, dispatchers: Dispatchers, url: string, request: HttpRequest): Promise<HttpAnswer> {
    const at = new URL(url);
    const failure = (cause: unknown): TsbuildError =>
      cause instanceof TsbuildError ? cause : this.#failure(at.origin, cause, this.#proxies.note(at));
    const answerPatience = this.patience + (request.stored ?? 0) / readingPace;
    const watch = new AnswerWatch(this.patience, answerPatience);
    try {
      const { method, headers, tls, reach = "anywhere", body, signal } = request;
      const streamed = body !== undefined && typeof body !== "string" && !(body instanceof Uint8Array);
      const sent = await undici.request(url, {
        method,
        headers: { "user-agent": "tsbuild", ...headers },
        body: streamed ? iterable(watch.around(body)) : (body ?? null),
        signal: signal === undefined ? watch.signal : AbortSignal.any([signal, watch.signal]),
        dispatcher: dispatchers.for(at, { tls, reach }),
        headersTimeout: streamed ? 0 : answerPatience,
        ...(streamed ? {} : { onInfo: () => watch.interim() }),
        bodyTimeout: this.patience,
      });
      const nearness = dispatchers.nearness(at);
      return new Answer({ url, nearness, status: sent.statusCode, ...sent, patience: this.patience, failure });
    } catch (error) {
      if (request.signal?.aborted === true) throw request.signal.reason;
      throw failure(error);
    } finally {
      watch.end();
    }
  }
}

/** undici takes async iterables as bodies but not by their type. */
function iterable(body: AsyncIterable<Uint8Array>): import("node:stream").Readable {
  return body as unknown as import("node:stream").Readable;
}

/** Gives up an upload whose bytes are not taken, or that is not answered when all of them are; and what is only announced. */
class AnswerWatch {
  readonly #abort = new AbortController();
  readonly #patience: number;
  readonly #answerPatience: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(patience: number, answerPatience: number) {
    this.#patience = patience;
    this.#answerPatience = answerPatience;
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** The time that whoever gives the bytes takes does not count. */
  async *around(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      this.#wait(this.#patience);
      yield chunk;
      this.end();
    }
    this.#wait(this.#answerPatience);
  }

  /** Answers that announce another one (1xx) put that off, but not for ever. */
  interim(): void {
    if (this.#timer === undefined) this.#wait(this.#answerPatience);
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #wait(milliseconds: number): void {
    this.#timer = setTimeout(() => this.#abort.abort(new StalledError()), milliseconds);
  }
}

class Answer implements HttpAnswer {
  readonly status: number;
  readonly url: string;
  readonly nearness: Nearness;
  readonly #headers: Record<string, string | string[] | undefined>;
  readonly #body: Dispatcher.ResponseData["body"];
  readonly #patience: number;
  readonly #failure: (cause: unknown) => TsbuildError;

  constructor(init: {
    readonly url: string;
    readonly nearness: Nearness;
    readonly status: number;
    readonly headers: Record<string, string | string[] | undefined>;
    readonly body: Dispatcher.ResponseData["body"];
    readonly patience: number;
    readonly failure: (cause: unknown) => TsbuildError;
  }) {
    this.url = init.url;
    this.nearness = init.nearness;
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
      throw this.#failure(error);
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
