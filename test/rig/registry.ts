import { createHash, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { TLSSocket } from "node:tls";
import { createServer as createTlsServer, type ServerOptions } from "node:https";

/** What a test can make the registry do wrong or ask for. */
export interface RegistryFaults {
  /** Blob bodies end after so many bytes, so many times. */
  truncate?: { readonly bytes: number; times: number };
  /** Answers of this status, so many times, before anything else. */
  status?: { readonly code: number; times: number; readonly retryAfter?: string };
  /** Blobs have another first byte. */
  corrupt?: boolean | "once";
  /** User and password that every request needs, by Basic or by a token. */
  auth?: { readonly scheme: "basic" | "bearer"; readonly user: string; readonly password: string };
  /** Blobs are redirected to this origin. */
  redirect?: string;
  /** Mounts are answered so. */
  mount?: number;
  /** Longer bodies of uploads are read so far only, so many times; then the connection breaks, or nothing more is read. */
  cut?: { readonly bytes: number; times: number; readonly stall?: boolean };
  /** What came of a cut upload is forgotten. */
  forgetful?: boolean;
  /** Larger bodies are not taken, as by a proxy. */
  bodyLimit?: number;
  /** Answers of this status to requests that begin so (`PUT /v2/app/manifests`), so many times. */
  on?: { readonly line: RegExp; readonly code: number; times: number; readonly retryAfter?: string };
}

/** What a document names. */
interface Parts {
  readonly config?: { readonly digest: string };
  readonly layers?: readonly { readonly digest: string }[];
  readonly manifests?: readonly { readonly digest: string }[];
}

/** A registry in memory for tests: strict in what it takes, with faults on demand. */
export class TestRegistry implements AsyncDisposable {
  readonly host: string;
  readonly faults: RegistryFaults = {};
  /** `METHOD path` of every request, in order. */
  readonly requests: string[] = [];
  /** `METHOD path?query` and headers of every request, in order. */
  readonly asked: { readonly line: string; readonly headers: IncomingMessage["headers"] }[] = [];
  /** The name in the client's certificate of each request. */
  readonly clients: (string | undefined)[] = [];
  readonly blobs: Map<string, Buffer> = new Map();
  /** What came of uploads that are not done, by path. */
  readonly #uploads = new Map<string, Buffer>();
  /** Says of every blob that it is not there, as of one of another repository. */
  hidden = false;
  /** Requests that showed credentials. */
  authorized = 0;
  readonly #manifests = new Map<string, { readonly type: string; readonly bytes: Buffer }>();
  readonly #server: Server;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.host = `127.0.0.1:${port}`;
  }

  /** With `tls` it speaks https. */
  static async start(tls?: ServerOptions): Promise<TestRegistry> {
    const server = tls === undefined ? createServer() : createTlsServer(tls);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const registry = new TestRegistry(server, typeof address === "object" && address !== null ? address.port : 0);
    server.on(
      "request",
      (request, response) => void registry.#answer(request, response).catch(() => response.destroy()),
    );
    return registry;
  }

  /** Puts an image without layers there; what makes it different is `author`. Gives its manifest's digest. */
  publish(repository: string, tag: string, author: string, architecture = "amd64"): string {
    const config = Buffer.from(
      JSON.stringify({ architecture, os: "linux", author, rootfs: { type: "layers", diff_ids: [] } }),
    );
    const type = "application/vnd.oci.image.manifest.v1+json";
    const descriptor = {
      mediaType: "application/vnd.oci.image.config.v1+json",
      digest: digestOf(config),
      size: config.length,
    };
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: type, config: descriptor, layers: [] }));
    this.blobs.set(descriptor.digest, config);
    for (const name of [tag, digestOf(bytes)]) this.#manifests.set(`${repository}/${name}`, { type, bytes });
    return digestOf(bytes);
  }

  /** Puts an index of such images there, one for each architecture. */
  publishIndex(repository: string, tag: string, architectures: readonly string[]): void {
    const type = "application/vnd.oci.image.index.v1+json";
    const manifests = architectures.map((architecture) => {
      const digest = this.publish(repository, architecture, architecture, architecture);
      const { type: mediaType = "", bytes = Buffer.alloc(0) } = this.#manifests.get(`${repository}/${digest}`) ?? {};
      return { mediaType, digest, size: bytes.length, platform: { os: "linux", architecture } };
    });
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: type, manifests }));
    for (const name of [tag, digestOf(bytes)]) this.#manifests.set(`${repository}/${name}`, { type, bytes });
  }

  /** Puts a document there as it is, under a tag or a digest. */
  put(repository: string, name: string, document: { readonly type: string; readonly bytes: Buffer }): void {
    this.#manifests.set(`${repository}/${name}`, document);
  }

  /** The document that a tag or digest stands for. */
  get(repository: string, name: string): { readonly type: string; readonly bytes: Buffer } | undefined {
    return this.#manifests.get(`${repository}/${name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", `http://${this.host}`);
    this.requests.push(`${request.method} ${url.pathname}`);
    if (request.socket instanceof TLSSocket) this.clients.push(request.socket.getPeerCertificate().subject?.CN);
    this.asked.push({ line: `${request.method} ${url.pathname}${url.search}`, headers: request.headers });
    if (request.headers.authorization !== undefined) this.authorized++;
    const { bodyLimit = Infinity, cut, on } = this.faults;
    const size = Number(request.headers["content-length"] ?? 0);
    if (size > bodyLimit) return end(response, 413);
    if (cut !== undefined && cut.times > 0 && size > cut.bytes && url.pathname.includes("/uploads/"))
      return await this.#cut(request, url, cut);
    const body = await readBody(request);
    if (on !== undefined && on.times > 0 && on.line.test(`${request.method} ${url.pathname}`)) {
      on.times--;
      return end(response, on.code, on.retryAfter === undefined ? {} : { "retry-after": on.retryAfter });
    }
    const { status } = this.faults;
    if (status !== undefined && status.times > 0) {
      status.times--;
      return end(response, status.code, status.retryAfter === undefined ? {} : { "retry-after": status.retryAfter });
    }
    if (url.pathname === "/token") return this.#token(request, response);
    if (!this.#allowed(request)) return this.#challenge(response);
    const match = /^\/v2\/(.+)\/(manifests|blobs)\/(uploads\/)?(.*)$/.exec(url.pathname);
    if (match === null) return end(response, url.pathname === "/v2/" ? 200 : 404);
    const [, repository = "", kind, upload, name = ""] = match;
    if (kind === "manifests") return this.#manifest(request, response, `${repository}/${name}`, body);
    return upload === undefined
      ? this.#blob(request, response, name)
      : this.#upload(request, response, { repository, url, body });
  }

  #manifest(request: IncomingMessage, response: ServerResponse, key: string, body: Buffer): void {
    if (request.method === "PUT") {
      const type = request.headers["content-type"] ?? "";
      const repository = key.slice(0, key.lastIndexOf("/"));
      if (!this.#hasParts(repository, JSON.parse(body.toString()))) return end(response, 400);
      for (const one of [key, `${repository}/${digestOf(body)}`]) this.#manifests.set(one, { type, bytes: body });
      return end(response, 201, { "docker-content-digest": digestOf(body) });
    }
    const found = this.#manifests.get(key);
    if (found === undefined) return end(response, 404, {}, '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}');
    end(response, 200, { "content-type": found.type, "docker-content-digest": digestOf(found.bytes) }, found.bytes);
  }

  /** As registries do, it takes a document only when what that names is there. */
  #hasParts(repository: string, document: Parts): boolean {
    const { config, layers = [], manifests } = document;
    if (manifests !== undefined) return manifests.every(({ digest }) => this.#manifests.has(`${repository}/${digest}`));
    return [...(config === undefined ? [] : [config]), ...layers].every(({ digest }) => this.blobs.has(digest));
  }

  #blob(request: IncomingMessage, response: ServerResponse, digest: string): void {
    const found = this.blobs.get(digest);
    if (found === undefined || (this.hidden && request.method === "HEAD")) return end(response, 404);
    if (request.method === "HEAD") return end(response, 200, { "content-length": String(found.length) });
    if (this.faults.redirect !== undefined) {
      return end(response, 307, { location: `${this.faults.redirect}${request.url ?? ""}` });
    }
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const bytes = Buffer.from(found.subarray(from));
    if (this.faults.corrupt === true || this.faults.corrupt === "once") bytes.writeUInt8((bytes[0] ?? 0) ^ 1, 0);
    if (this.faults.corrupt === "once") this.faults.corrupt = false;
    const { truncate } = this.faults;
    response.writeHead(from > 0 ? 206 : 200, { "content-length": bytes.length });
    if (truncate === undefined || truncate.times <= 0) return void response.end(bytes);
    truncate.times--;
    response.write(bytes.subarray(0, truncate.bytes), () => response.destroy());
  }

  #upload(
    request: IncomingMessage,
    response: ServerResponse,
    { repository, url, body }: { readonly repository: string; readonly url: URL; readonly body: Buffer },
  ): void {
    const mount = url.searchParams.get("mount");
    const { method } = request;
    if (method === "POST" && mount !== null && this.faults.mount !== undefined) return end(response, this.faults.mount);
    if (method === "POST" && mount !== null && this.blobs.has(mount)) return end(response, 201);
    if (method === "POST") {
      const location = `/v2/${repository}/blobs/uploads/${randomUUID()}`;
      this.#uploads.set(location, Buffer.alloc(0));
      return end(response, 202, { location: `${location}?state=x` });
    }
    const before = this.#uploads.get(url.pathname);
    if (before === undefined) return end(response, 404, {}, '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}');
    const range = { location: url.pathname, range: `0-${Math.max(0, before.length - 1)}` };
    if (method === "GET") return end(response, 204, range);
    const start = /^(\d+)-/.exec(request.headers["content-range"] ?? "")?.[1];
    if (start !== undefined && Number(start) !== before.length) return end(response, 416, range);
    const bytes = Buffer.concat([before, body]);
    this.#uploads.set(url.pathname, bytes);
    if (method === "PATCH") return end(response, 202, { location: url.pathname });
    const digest = url.searchParams.get("digest") ?? "";
    if (digestOf(bytes) !== digest) return end(response, 400, {}, '{"errors":[{"code":"DIGEST_INVALID"}]}');
    this.blobs.set(digest, bytes);
    end(response, 201);
  }

  async #cut(request: IncomingMessage, url: URL, cut: NonNullable<RegistryFaults["cut"]>): Promise<void> {
    cut.times--;
    let came = this.#uploads.get(url.pathname) ?? Buffer.alloc(0);
    const enough = came.length + cut.bytes;
    for await (const chunk of request) {
      came = Buffer.concat([came, Buffer.from(chunk)]);
      if (came.length < enough) continue;
      if (this.faults.forgetful === true) this.#uploads.delete(url.pathname);
      else this.#uploads.set(url.pathname, came.subarray(0, enough));
      if (cut.stall === true) return void request.pause();
      break;
    }
    request.socket.destroy();
  }

  #allowed(request: IncomingMessage): boolean {
    const { auth } = this.faults;
    if (auth === undefined) return true;
    const expected = auth.scheme === "basic" ? basic(auth) : "Bearer good";
    return request.headers.authorization === expected;
  }

  #challenge(response: ServerResponse): void {
    const bearer = `Bearer realm="http://${this.host}/token",service="test"`;
    end(response, 401, { "www-authenticate": this.faults.auth?.scheme === "bearer" ? bearer : 'Basic realm="test"' });
  }

  #token(request: IncomingMessage, response: ServerResponse): void {
    const { auth } = this.faults;
    const good = auth !== undefined && request.headers.authorization === basic(auth);
    end(response, good ? 200 : 401, {}, JSON.stringify({ token: "good", expires_in: 300 }));
  }
}

function basic({ user, password }: { readonly user: string; readonly password: string }): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

function end(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>> = {},
  body: string | Buffer = "",
): void {
  response.writeHead(status, headers).end(body);
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
