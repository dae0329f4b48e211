import { hash } from "node:crypto";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import { tarEnd, tarHeader, tarPadding } from "../../store/layer/tar/writer.ts";

/** What of the image is asked for. */
export type Part = "manifest" | "config" | "layer" | "token" | "other";

/** One answer, as the test wants it; `honest` gives what a good registry would. */
export type Answer = (asked: {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The bytes of what is asked for. */
  readonly bytes: Buffer;
  /** How often this part was asked for before. */
  readonly before: number;
  readonly honest: () => void;
}) => void;

/** What is not said is answered honestly. */
export type Answers = Readonly<Partial<Record<Part, Answer>>>;

type Algorithm = "sha256" | "sha512";

/** A registry of one image, `app:1` with one layer, that answers as a test says; nothing in it is well-behaved by itself. */
export class HostileRegistry implements AsyncDisposable {
  readonly host: string;
  readonly image: string;
  /** Of the manifest. */
  readonly digest: string;
  readonly requests: { readonly part: Part; readonly line: string; readonly headers: IncomingHttpHeaders }[] = [];
  answers: Answers = {};
  readonly #server: Server;
  readonly #parts: ReadonlyMap<string, { readonly part: Part; readonly bytes: Buffer }>;

  private constructor(server: Server, algorithm: Algorithm, layerFields: Readonly<Record<string, unknown>>) {
    const address = server.address();
    this.host = `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
    this.image = `${this.host}/app:1`;
    this.#server = server;
    const { layer, config, manifest } = makeImage(algorithm, layerFields);
    this.digest = digestOf(manifest, algorithm);
    this.#parts = new Map([
      ["1", { part: "manifest", bytes: manifest }],
      [this.digest, { part: "manifest", bytes: manifest }],
      [digestOf(config, algorithm), { part: "config", bytes: config }],
      [digestOf(layer, algorithm), { part: "layer", bytes: layer }],
    ]);
  }

  /** `layerFields`: more for the layer's descriptor. */
  static async start(
    options: {
      readonly algorithm?: Algorithm;
      readonly tls?: ServerOptions;
      readonly layerFields?: Readonly<Record<string, unknown>>;
    } = {},
  ): Promise<HostileRegistry> {
    const { algorithm = "sha256", tls, layerFields = {} } = options;
    const server = tls === undefined ? createServer() : createTlsServer(tls);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const registry = new HostileRegistry(server, algorithm, layerFields);
    server.on("request", (request, response) => registry.#answer(request, response));
    return registry;
  }

  asked(part: Part): number {
    return this.requests.filter((one) => one.part === part).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? "/";
    const name = decodeURIComponent(path.replace(/\?.*$/, "").replace(/^.*\//, ""));
    const known = this.#parts.get(name);
    const part = known?.part ?? (name === "token" ? "token" : "other");
    const before = this.asked(part);
    this.requests.push({ part, line: `${request.method} ${path}`, headers: request.headers });
    const honest = (): void => answerHonestly(request, response, known);
    const answer = this.answers[part];
    if (answer === undefined) return honest();
    answer({ request, response, bytes: known?.bytes ?? Buffer.alloc(0), before, honest });
  }
}

function answerHonestly(
  { url, headers }: IncomingMessage,
  response: ServerResponse,
  known: { readonly part: Part; readonly bytes: Buffer } | undefined,
): void {
  if (url === "/v2/") return void response.writeHead(200).end();
  if (known === undefined) return void response.writeHead(404).end();
  const start = Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? 0);
  const bytes = known.bytes.subarray(start);
  const part = { "content-range": `bytes ${start}-${known.bytes.length - 1}/${known.bytes.length}` };
  const type = known.part === "manifest" ? manifestType : "application/octet-stream";
  const common = { "content-type": type, "content-length": bytes.length };
  response.writeHead(start > 0 ? 206 : 200, { ...common, ...(start > 0 ? part : {}) }).end(bytes);
}

export const manifestType = "application/vnd.oci.image.manifest.v1+json";

export function digestOf(bytes: Buffer, algorithm: Algorithm = "sha256"): string {
  return `${algorithm}:${hash(algorithm, bytes)}`;
}

export function makeImage(
  algorithm: Algorithm,
  layerFields: Readonly<Record<string, unknown>>,
): { readonly layer: Buffer; readonly config: Buffer; readonly manifest: Buffer } {
  const content = Buffer.alloc(200_000, "abcdefg");
  const stat = { type: "file", mode: 0o644, uid: 0, gid: 0, size: content.length, mtime: 0n } as const;
  const layer = Buffer.concat([tarHeader("file", stat), content, tarPadding(content.length), tarEnd]);
  const config = Buffer.from(
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      config: {},
      rootfs: { type: "layers", diff_ids: [digestOf(layer)] },
    }),
  );
  const describe = (mediaType: string, bytes: Buffer): object => ({
    mediaType: `application/vnd.oci.image.${mediaType}`,
    digest: digestOf(bytes, algorithm),
    size: bytes.length,
  });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: describe("config.v1+json", config),
      layers: [{ ...describe("layer.v1.tar", layer), ...layerFields }],
    }),
  );
  return { layer, config, manifest };
}
