import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import type { CertificatePair } from "./certificates.ts";

/** What a test can make the server do wrong or ask for. */
export interface GitFaults {
  /** User and password that every request needs; or the whole header. */
  auth?: { readonly user: string; readonly password: string } | { readonly header: string };
  /** Everything is redirected to this origin. */
  redirect?: string;
  /** Answers of this status, so many times. */
  status?: { readonly code: number; times: number };
  /** Nothing is answered. */
  silent?: boolean;
  /** Speaks the first version of git's protocol, in which only tips of branches and tags may be asked for. */
  v0?: boolean;
  /** Gives out files and knows nothing of git. */
  dumb?: boolean;
}

/** Environment of the tests' own git: nothing of the machine's configuration. */
const env = {
  PATH: process.env["PATH"] ?? "",
  HOME: "/nonexistent",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_AUTHOR_NAME: "A",
  GIT_AUTHOR_EMAIL: "a@example.com",
  GIT_COMMITTER_NAME: "C",
  GIT_COMMITTER_EMAIL: "c@example.com",
  GIT_AUTHOR_DATE: "1600000000 +0000",
  GIT_COMMITTER_DATE: "1600000000 +0100",
};

/** A repository that a test writes; the server gives out all below its directory. */
export class GitRepository {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
    mkdirSync(directory, { recursive: true });
    this.git("init", "-q", "-b", "main", ".");
    // As GitHub and others: any commit may be asked for.
    this.git("config", "uploadpack.allowAnySHA1InWant", "true");
  }

  git(...args: readonly string[]): string {
    return execFileSync("git", args, { cwd: this.directory, env, stdio: ["ignore", "pipe", "pipe"] })
      .toString()
      .trim();
  }

  write(path: string, text: string, mode: number = 0o644): void {
    mkdirSync(dirname(join(this.directory, path)), { recursive: true });
    writeFileSync(join(this.directory, path), text, { mode });
  }

  /** A submodule as `git submodule add` leaves it, but that nothing is cloned. */
  submodule(path: string, url: string, commit: string): void {
    this.git("config", "-f", ".gitmodules", `submodule.${path}.path`, path);
    this.git("config", "-f", ".gitmodules", `submodule.${path}.url`, url);
    mkdirSync(join(this.directory, path), { recursive: true });
    this.git("update-index", "--add", "--cacheinfo", `160000,${commit},${path}`);
  }

  /** Commits all there is; the hash. */
  commit(files: Readonly<Record<string, string>> = {}): string {
    for (const [path, text] of Object.entries(files)) this.write(path, text);
    this.git("add", "-A");
    this.git("commit", "-q", "--allow-empty", "-m", "change");
    return this.git("rev-parse", "HEAD");
  }
}

/** git's own HTTP server (`git http-backend`) on loopback, with faults on demand. */
export class GitServer implements AsyncDisposable {
  readonly origin: string;
  readonly host: string;
  faults: GitFaults = {};
  /** Told of every request before it is answered. */
  onRequest: (() => void) | undefined;
  /** `METHOD path authorization` of every request. */
  readonly requests: { readonly method: string; readonly path: string; readonly authorization: string | undefined }[] =
    [];
  readonly #root: string;
  readonly #server: Server;

  private constructor(server: Server, scheme: string, port: number) {
    this.#root = mkdtempSync(join(tmpdir(), "tsbuild-git-"));
    this.#server = server;
    this.host = `127.0.0.1:${port}`;
    this.origin = `${scheme}://${this.host}`;
  }

  /** With a certificate it speaks https. */
  static async start(certificate?: CertificatePair): Promise<GitServer> {
    const server = certificate === undefined ? createServer() : createSecureServer({ ...certificate });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const scheme = certificate === undefined ? "http" : "https";
    const made = new GitServer(server, scheme, typeof address === "object" && address !== null ? address.port : 0);
    server.on("request", (request, response) => made.#answer(request, response));
    return made;
  }

  /** A new repository at `/name`. */
  repository(name: string): GitRepository {
    return new GitRepository(join(this.#root, name));
  }

  url(name: string): string {
    return `${this.origin}/${name}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#root, { recursive: true, force: true });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { method = "", url = "", headers } = request;
    const { authorization } = headers;
    this.requests.push({ method, path: url, authorization });
    this.onRequest?.();
    const { auth, redirect, status, silent, dumb } = this.faults;
    if (silent === true) return;
    if (status !== undefined && status.times > 0) {
      status.times--;
      return void response.writeHead(status.code).end();
    }
    if (redirect !== undefined) return void response.writeHead(302, { location: redirect + url }).end();
    if (auth !== undefined && authorization !== expected(auth))
      return void response.writeHead(401, { "www-authenticate": 'Basic realm="test"' }).end();
    if (dumb === true) this.#file(url, response);
    else this.#backend(request, response);
  }

  #file(url: string, response: ServerResponse): void {
    const [path = ""] = url.split("?");
    const [, repository = "", rest = ""] = path.split(/^\/([^/]+)/);
    const file = join(this.#root, repository, ".git", rest);
    if (existsSync(file)) response.end(readFileSync(file));
    else response.writeHead(404).end();
  }

  #backend(request: IncomingMessage, response: ServerResponse): void {
    const [path = "", query = ""] = (request.url ?? "").split(/\?(.*)/s);
    const child = spawn("git", ["http-backend"], {
      env: {
        ...env,
        GIT_PROJECT_ROOT: this.#root,
        GIT_HTTP_EXPORT_ALL: "1",
        PATH_INFO: path,
        QUERY_STRING: query,
        REQUEST_METHOD: request.method ?? "",
        CONTENT_TYPE: request.headers["content-type"] ?? "",
        HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
        GIT_PROTOCOL: this.faults.v0 === true ? "" : String(request.headers["git-protocol"] ?? ""),
      },
      stdio: ["pipe", "pipe", "ignore"],
    });
    child.stdin.on("error", () => undefined);
    request.pipe(child.stdin);
    void forward(child.stdout, response);
  }
}

function expected(auth: NonNullable<GitFaults["auth"]>): string {
  if ("header" in auth) return auth.header;
  return `Basic ${Buffer.from(`${auth.user}:${auth.password}`).toString("base64")}`;
}

/** What a CGI program writes: headers, then the body. */
async function forward(output: Readable, response: ServerResponse): Promise<void> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of output) {
    if (head === undefined) {
      response.write(chunk);
      continue;
    }
    head = Buffer.concat([head, Buffer.from(chunk)]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) continue;
    const lines = head.subarray(0, end).toString("latin1").split("\r\n");
    const headers = lines.map((line) => line.split(/: (.*)/s));
    const status = Number(headers.find(([name]) => name === "Status")?.[1]?.slice(0, 3) ?? 200);
    response.writeHead(
      status,
      headers.flatMap(([name = "", value = ""]) => (name === "Status" ? [] : [name, value])),
    );
    response.write(head.subarray(end + 4));
    head = undefined;
  }
  response.end();
}
