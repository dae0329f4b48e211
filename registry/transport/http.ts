import type { Dispatcher } from "undici";
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

/**
 * HTTP with keep-alive and proxies, without redirects and retries of its own. undici is imported with the first
 * request: a build that finds everything never pays for it.
 */
export class HttpClient {
  readonly #options: RegistryOptions;
  #undici: Promise<{ readonly undici: Undici; readonly dispatcher: Dispatcher }> | undefined;

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  /** @throws RegistryError when there is no answer */
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
      return new Answer(url, statusCode, headers, body);
    } catch (error) {
      if (request.signal?.aborted === true) throw request.signal.reason;
      throw unreachable(new URL(url).origin, error);
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

  constructor(
    url: string,
    status: number,
    headers: Record<string, string | string[] | undefined>,
    body: Dispatcher.ResponseData["body"],
  ) {
    this.url = url;
    this.status = status;
    this.#headers = headers;
    this.#body = body;
  }

  header(name: string): string | undefined {
    const value = this.#headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  async *body(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of this.#body) yield toBytes(chunk);
    } catch (error) {
      throw unreachable(new URL(this.url).origin, error);
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

async function loadUndici(options: RegistryOptions): Promise<{ undici: Undici; dispatcher: Dispatcher }> {
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
