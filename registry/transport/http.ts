import type { Dispatcher } from "undici";
import type { TsbuildError } from "../../native/errors.ts";
import type { RegistryOptions } from "../options.ts";
import { unreachable } from "./errors.ts";

type Undici = typeof import("undici");

/** An answer whose body is still to be read: by iterating it, or by discard(). */
export interface HttpAnswer {
  readonly status: number;
  readonly url: string;
  header(name: string): string | undefined;
  body(): AsyncIterable<Uint8Array>;
  /** The body as text, up to a limit of bytes; a longer one is cut. */
  text(limit?: number): Promise<string>;
  discard(): Promise<void>;
}

export interface HttpRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal | undefined;
}

const connectTimeout = 15_000;
const headersTimeout = 60_000;
const bodyTimeout = 60_000;
const maxText = 64 << 10;

/** Makes the error of a request that got no answer, or of a body that broke off. */
export type HttpFailure = (origin: string, cause: unknown) => TsbuildError;

/**
 * HTTP with keep-alive and proxies, without redirects and retries of its own. undici is imported with the first
 * request: a build that finds everything never pays for it.
 */
export class HttpClient {
  readonly #options: Pick<RegistryOptions, "env">;
  readonly #failure: HttpFailure;
  #undici: Promise<{ readonly undici: Undici; readonly dispatcher: Dispatcher }> | undefined;

  constructor(options: Pick<RegistryOptions, "env">, failure: HttpFailure = unreachable) {
    this.#options = options;
    this.#failure = failure;
  }

  /** @throws the failure when there is no answer */
  async request(url: string, request: HttpRequest): Promise<HttpAnswer> {
    this.#undici ??= loadUndici(this.#options);
    const { undici, dispatcher } = await this.#undici;
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
        headersTimeout,
        bodyTimeout,
      });
      return new Answer({ url, status: statusCode, headers, body, failure: this.#failure });
    } catch (error) {
      if (request.signal?.aborted === true) throw request.signal.reason;
      throw this.#failure(new URL(url).origin, error);
    }
  }

  async close(): Promise<void> {
    const loaded = await this.#undici;
    await loaded?.dispatcher.destroy();
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
  readonly #failure: HttpFailure;

  constructor(init: {
    readonly url: string;
    readonly status: number;
    readonly headers: Record<string, string | string[] | undefined>;
    readonly body: Dispatcher.ResponseData["body"];
    readonly failure: HttpFailure;
  }) {
    this.url = init.url;
    this.status = init.status;
    this.#headers = init.headers;
    this.#body = init.body;
    this.#failure = init.failure;
  }

  header(name: string): string | undefined {
    const value = this.#headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  async *body(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of this.#body) yield toBytes(chunk);
    } catch (error) {
      throw this.#failure(new URL(this.url).origin, error);
    }
  }

  async text(limit: number = maxText): Promise<string> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of this.body()) {
      chunks.push(chunk);
      size += chunk.byteLength;
      if (size >= limit) break;
    }
    return Buffer.concat(chunks).subarray(0, limit).toString("utf8");
  }

  async discard(): Promise<void> {
    await this.#body.dump({ limit: maxText }).catch(() => undefined);
  }
}

function toBytes(chunk: unknown): Uint8Array {
  return chunk instanceof Uint8Array ? chunk : Buffer.from(String(chunk));
}

async function loadUndici(options: Pick<RegistryOptions, "env">): Promise<{ undici: Undici; dispatcher: Dispatcher }> {
  const undici = await import("undici");
  const env = options.env ?? {};
  const pick = (name: string): string | undefined => env[name.toLowerCase()] ?? env[name];
  const [httpProxy, httpsProxy, noProxy] = [pick("HTTP_PROXY"), pick("HTTPS_PROXY"), pick("NO_PROXY")];
  const common = { connect: { timeout: connectTimeout }, connections: 6 };
  if (httpProxy === undefined && httpsProxy === undefined) return { undici, dispatcher: new undici.Agent(common) };
  const dispatcher = new undici.EnvHttpProxyAgent({
    ...common,
    ...(httpProxy === undefined ? {} : { httpProxy }),
    ...(httpsProxy === undefined ? {} : { httpsProxy }),
    ...(noProxy === undefined ? {} : { noProxy }),
  });
  return { undici, dispatcher };
}
