import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";

/** One request as it came. */
export interface UrlRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** Answers a request; what it does not answer never is. */
export type UrlHandler = (request: UrlRequest, response: ServerResponse) => void;

/** An HTTP server on loopback that does what a test says: by path, with all requests kept. */
export class UrlServer implements AsyncDisposable {
  readonly origin: string;
  readonly host: string;
  readonly requests: UrlRequest[] = [];
  readonly #handlers = new Map<string, UrlHandler>();
  readonly #server: Server;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.host = `127.0.0.1:${port}`;
    this.origin = `http://${this.host}`;
  }

  static async start(): Promise<UrlServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const made = new UrlServer(server, typeof address === "object" && address !== null ? address.port : 0);
    server.on("request", (incoming, response) => {
      const request = { method: incoming.method ?? "", path: incoming.url ?? "", headers: incoming.headers };
      made.requests.push(request);
      const handler = made.#handlers.get(request.path.replace(/\?.*$/, ""));
      if (handler === undefined) response.writeHead(404).end();
      else handler(request, response);
    });
    return made;
  }

  on(path: string, handler: UrlHandler): void {
    this.#handlers.set(path, handler);
  }

  /** A file with these headers. */
  file(path: string, body: string | Buffer, headers: Readonly<Record<string, string>> = {}): void {
    this.on(path, (_request, response) => response.writeHead(200, headers).end(body));
  }

  /** A file with an ETag, answered as a good server does. */
  tagged(path: string, body: string, etag: string): void {
    this.on(path, ({ headers }, response) => {
      if (headers["if-none-match"] === etag) response.writeHead(304, { etag }).end();
      else response.writeHead(200, { etag }).end(body);
    });
  }

  /** Nobody answers any more. */
  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
