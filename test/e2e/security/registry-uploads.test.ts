import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { RegistryClient } from "../../../registry/index.ts";
import { uploadBlob } from "../../../registry/push/upload.ts";
import { digestOf } from "../../../store/oci/digest.ts";
import { parseReference } from "../../../store/oci/reference.ts";

const bytes = Buffer.alloc(300_000, "abc");
const desc = { mediaType: "x", digest: digestOf(bytes), size: bytes.length };
const user = "me:CANARY";

type Act = (response: ServerResponse, before: number, elsewhere: string) => void;

const answer =
  (status: number, headers: Readonly<Record<string, string>> = {}, body = ""): Act =>
  (response) =>
    void response.writeHead(status, headers).end(body);
const lead =
  (status: number, location: (elsewhere: string) => string): Act =>
  (response, _before, elsewhere) =>
    void response.writeHead(status, { location: location(elsewhere) }).end();
/** The first time a passing trouble, then another answer. */
const troubled =
  (then: Act): Act =>
  (response, before, elsewhere) =>
    before === 0 ? void response.writeHead(503).end() : then(response, before, elsewhere);
const there = (range: string): Act => answer(204, { range });
const invalid = answer(400, {}, '{"errors":[{"code":"DIGEST_INVALID"}]}');

/** A server of 127.0.0.1 whose requests are noted. */
class Noted implements AsyncDisposable {
  readonly requests: { readonly method: string; readonly authorization: string | undefined; readonly size: number }[] =
    [];
  readonly #server: Server;

  private constructor(act: (request: IncomingMessage, response: ServerResponse) => void) {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", () => undefined);
      request.on("end", () => {
        const { method = "", headers } = request;
        this.requests.push({ method, authorization: headers.authorization, size: Buffer.concat(chunks).length });
        act(request, response);
      });
    });
  }

  static async start(act: (request: IncomingMessage, response: ServerResponse) => void): Promise<Noted> {
    const noted = new Noted(act);
    await new Promise<void>((resolve) => noted.#server.listen(0, "127.0.0.1", resolve));
    return noted;
  }

  get host(): string {
    const address = this.#server.address();
    return `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const status = "E_REGISTRY_STATUS";
const redirect = "E_REGISTRY_REDIRECT";
/** What the registry answers by method; how it ends; how many requests at the most; whether others are asked. */
const rows: readonly (readonly [string, Readonly<Record<string, Act>>, string | boolean, number, boolean?])[] = [
  ["has more than all time", { PUT: answer(503), GET: there("0-99999999999999999999") }, status, 25],
  ["has less than nothing", { PUT: answer(503), GET: there("0--5") }, status, 25],
  ["has no number", { PUT: answer(503), GET: there("bytes=0-1e9") }, status, 25],
  ["has all but a byte, each time", { PUT: answer(503), PATCH: answer(202), GET: there("0-299998") }, status, 40],
  ["has all", { PUT: troubled(answer(201)), GET: there("0-299999") }, true, 10],
  ["has other bytes, each time", { PUT: invalid, GET: there("0-10") }, status, 10],
  ["does not say where to", { POST: answer(202) }, status, 6],
  ["has mounted what was not to be", { POST: answer(201, { location: "/x" }) }, status, 6],
  ["wants it at a socket", { POST: answer(202, { location: "unix:/run/docker.sock" }) }, redirect, 6],
  ["wants it in a file", { POST: answer(202, { location: "file:///etc/passwd" }) }, redirect, 6],
  ["wants it at the machine's link", { POST: answer(202, { location: "http://169.254.169.254/u" }) }, redirect, 6],
  ["wants it elsewhere, by another's password", { POST: lead(202, (to) => `http://a:b@${to}/u`) }, status, 10, true],
  ["wants it elsewhere, without a scheme", { POST: lead(202, (to) => `//${to}/u`) }, status, 10, true],
  ["wants it elsewhere, by backslashes", { POST: lead(202, (to) => `\\\\${to}\\u`) }, status, 10, true],
  ["leads the beginning elsewhere", { POST: lead(307, (to) => `http://${to}/u`) }, status, 6, true],
  ["leads the beginning round and round", { POST: lead(307, () => "/v2/app/blobs/uploads/") }, redirect, 12],
  ["leads the bytes elsewhere", { PUT: lead(307, (to) => `http://${to}/u`) }, redirect, 6],
  [
    "leads on elsewhere in the middle",
    { PUT: troubled(answer(201)), PATCH: lead(202, (to) => `http://${to}/u`), GET: there("0-100") },
    status,
    14,
    true,
  ],
  ["leads the question elsewhere", { HEAD: lead(307, (to) => `http://${to}/u`) }, true, 8, true],
  ["takes it, and never has it", { PUT: answer(202) }, status, 6],
  [
    "asks who it is, each time",
    { PUT: answer(401, { "www-authenticate": 'Bearer realm="http://127.0.0.1:1/"' }) },
    "E_REGISTRY_AUTH",
    12,
  ],
];

const honest: Readonly<Record<string, Act>> = {
  HEAD: answer(404),
  POST: answer(202, { location: "/v2/app/blobs/uploads/1" }),
  PUT: answer(201),
};

describe("an upload to a registry that", () => {
  const named = rows.map(([what, acts, outcome, most, others = false]) => ({ what, acts, outcome, most, others }));
  it.each(named)("$what ends, and tells nobody else who asks", async ({ acts, outcome, most, others }) => {
    const challenge = { "www-authenticate": 'Basic realm="x"' };
    await using elsewhere = await Noted.start((_request, response) => void response.writeHead(401, challenge).end());
    const counts = new Map<string, number>();
    await using registry = await Noted.start(({ method = "", headers }, response) => {
      if (headers.authorization === undefined) return void response.writeHead(401, challenge).end();
      const before = counts.get(method) ?? 0;
      counts.set(method, before + 1);
      (acts[method] ?? honest[method] ?? answer(404))(response, before, elsewhere.host);
    });
    const auths = { [registry.host]: { auth: Buffer.from(user).toString("base64") } };
    await using client = new RegistryClient({
      patience: 10_000,
      credentials: [{ kind: "json", name: "test", text: JSON.stringify({ auths }) }],
    });
    const reference = parseReference(`${registry.host}/app:1`);
    const endpoint = await client.originEndpoint(reference);
    const open = async function* (): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000);
    };
    const upload = { client, endpoint, reference, desc, open, mountFrom: undefined, signal: undefined };
    const ended = await uploadBlob({ ...upload, onBytes: () => undefined }).catch((error: unknown) => error);
    expect(ended).toEqual(typeof outcome === "string" ? expect.objectContaining({ code: outcome }) : outcome);
    expect(registry.requests.length).toBeLessThanOrEqual(most);
    expect(elsewhere.requests.length > 0).toBe(others);
    expect(elsewhere.requests.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
  });
});
