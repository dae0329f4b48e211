import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer, request as send, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { TLSSocket } from "node:tls";
import { digestOf, makeImage, manifestType } from "./hostile-registry.ts";
import { lanHosts, lanMetadata, type LanRequest, type LanRules } from "./lan-rules.ts";

/**
 * Every server of a network of its own: run by Lan in new network and mount namespaces. Reads a line with the
 * certificates, then lines with rules; writes a line for each request.
 */
const { layer, config, manifest } = makeImage("sha256", {});
const documents = new Map([
  ["1", manifest],
  ...[layer, config, manifest].map((bytes) => [digestOf(bytes), bytes] as const),
]);
let rules: LanRules = {};
let tokens = 0;

function say(value: LanRequest | { readonly done: true }): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

function told({ headers, socket }: IncomingMessage, body: string): string {
  const found: string[] = [];
  const { authorization = "" } = headers;
  if (authorization.startsWith("Basic ")) found.push(Buffer.from(authorization.slice(6), "base64").toString());
  else if (authorization !== "") found.push(authorization);
  const refresh = new URLSearchParams(body).get("refresh_token");
  if (refresh !== null) found.push(`refresh ${refresh}`);
  const proxy = headers["proxy-authorization"];
  if (proxy !== undefined) found.push(`proxy ${Buffer.from(proxy.slice(6), "base64").toString()}`);
  const subject = socket instanceof TLSSocket ? socket.getPeerCertificate().subject : undefined;
  if (subject !== undefined) found.push(`certificate ${subject.CN}`);
  return found.length === 0 ? "nothing" : found.join(" and ");
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const scheme = request.socket instanceof TLSSocket ? "https" : "http";
  const origin = `${scheme}://${request.headers.host}`;
  const url = new URL(request.url ?? "/", origin);
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const { localAddress = "" } = request.socket;
  const turned = rules.turns !== undefined && localAddress.endsWith(rules.turns);
  const server = turned ? origin.replace("reg.test", rules.turns ?? "") : origin;
  say({ server, told: told(request, Buffer.concat(chunks).toString("latin1")) });
  if (rules.turns !== undefined) {
    writeFileSync("/etc/hosts", hostsText({ ...lanHosts, "reg.test": rules.turns }));
    response.shouldKeepAlive = false;
  }
  const end = (status: number, headers: Readonly<Record<string, string>> = {}, body: string | Buffer = ""): void =>
    void response.writeHead(status, headers).end(request.method === "HEAD" ? "" : body);
  const lead = (to: string): void => end(307, { location: to.startsWith("http") ? to : new URL(to, origin).href });
  const known = request.headers.authorization !== undefined;
  const ask = (how: "basic" | "bearer", realm: string): void =>
    end(401, { "www-authenticate": how === "basic" ? 'Basic realm="test"' : `Bearer realm="${realm}",service="test"` });
  if (url.pathname === "/token" && rules.token !== undefined && tokens++ === 0) return end(rules.token);
  if (url.pathname === "/token" && rules.tokenLeads !== undefined) return lead(`${rules.tokenLeads}/token2`);
  if (url.pathname.startsWith("/token")) return end(200, {}, '{"token":"good"}');
  if (url.pathname === "/file") return rules.file === undefined ? end(200, {}, "file") : lead(rules.file);
  const name = url.pathname.replace(/^.*\//, "");
  if (url.pathname.startsWith("/elsewhere/")) {
    if (rules.onward !== undefined && url.search === "") return lead(rules.onward);
    if (rules.elsewhere !== undefined && !known) return ask(rules.elsewhere, `${origin}/token`);
  } else {
    if (rules.challenge !== undefined && !known) return ask(rules.challenge, rules.realm ?? `${origin}/token`);
    if (request.method === "POST") return end(202, { location: rules.upload ?? `/v2/app/blobs/uploads/1` });
    const place = url.pathname.includes("/manifests/") ? rules.manifest : rules.blob;
    if (place !== undefined && request.method === "GET" && documents.has(name)) return lead(`${place}/${name}`);
  }
  if (request.method === "PATCH") return end(202, { location: url.href });
  if (request.method === "PUT") return end(201);
  if (url.pathname === "/v2/") return end(200);
  const bytes = documents.get(name);
  if (bytes === undefined || (request.method === "HEAD" && url.pathname.includes("/blobs/"))) return end(404);
  end(200, { "content-type": manifestType, "docker-content-digest": digestOf(bytes) }, bytes);
}

function listener(request: IncomingMessage, response: ServerResponse): void {
  answer(request, response).catch(() => response.destroy());
}

/** Asks for others: what it is told itself goes no further. */
const proxy = createServer((request, response) => {
  say({ server: `proxy to ${new URL(request.url ?? "").origin}`, told: told(request, "") });
  const { "proxy-authorization": _own, ...headers } = request.headers;
  const onward = send(request.url ?? "", { method: request.method ?? "GET", headers }, (answered) => {
    response.writeHead(answered.statusCode ?? 502, answered.headers);
    answered.pipe(response);
  });
  request.pipe(onward.on("error", () => response.destroy()));
}).on("connect", (request: IncomingMessage, socket: Socket) => {
  say({ server: `proxy to ${request.url}`, told: told(request, "") });
  const [host = "", port = ""] = (request.url ?? "").split(":");
  const onward = connect(Number(port), host, () => {
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    onward.pipe(socket).pipe(onward);
  });
  for (const one of [onward, socket]) one.on("error", () => [onward, socket].forEach((each) => each.destroy()));
});

function hostsText(hosts: Readonly<Record<string, string>>): string {
  const names = Object.entries({ localhost: "127.0.0.1", ...hosts });
  return names.map(([name, address]) => `${address} ${name}\n`).join("");
}

function makeNetwork(): void {
  const ip = (...words: readonly string[]): unknown => execFileSync("/bin/busybox", ["ip", ...words]);
  ip("link", "set", "lo", "up");
  const own = Object.values(lanHosts).filter((address) => address.startsWith("203."));
  for (const address of [...own, ...lanMetadata]) ip("addr", "add", address, "dev", "lo");
  const file = join(tmpdir(), `hosts-${process.pid}`);
  writeFileSync(file, hostsText(lanHosts));
  execFileSync("/bin/busybox", ["mount", "--bind", file, "/etc/hosts"]);
  execFileSync("/bin/busybox", ["rm", file]);
}

let started = false;
for await (const line of createInterface({ input: process.stdin })) {
  if (started) {
    rules = JSON.parse(line);
    tokens = 0;
    writeFileSync("/etc/hosts", hostsText(lanHosts));
  } else {
    makeNetwork();
    const tls: { readonly cert: string; readonly key: string; readonly ca: string } = JSON.parse(line);
    const secure = createTlsServer({ ...tls, requestCert: true, rejectUnauthorized: false }, listener);
    const servers = [
      [createServer(listener), 80],
      [createServer(listener), 5000],
      [createServer(listener), 5001],
      [secure, 443],
      [proxy, 3128],
    ] as const;
    for (const [server, port] of servers) await new Promise<void>((resolve) => server.listen(port, resolve));
    started = true;
  }
  say({ done: true });
}
process.exit(0);
