import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { BuildOptions } from "../../builder/index.ts";
import { TsbuildError } from "../../native/errors.ts";
import { openStore } from "../../store/open.ts";
import { listTree } from "../rig/list-tree.ts";
import { Project, type Outcome } from "../rig/project.ts";
import { UrlServer } from "../rig/url-server.ts";

let server: UrlServer;
let other: UrlServer;

beforeAll(async () => {
  [server, other] = await Promise.all([UrlServer.start(), UrlServer.start()]);
});
beforeEach(() => {
  server.requests.length = 0;
  other.requests.length = 0;
});
afterAll(async () => {
  await server.stop();
  await other.stop();
});

const out = (project: Project): string => join(project.store, "..", "out");
const beside = (project: Project, name: string): string => join(project.store, "..", name);
const read = (project: Project, path: string): string => readFileSync(join(out(project), path), "utf8");
const sha256 = (text: string | Buffer): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;
const cachedAll = ({ result }: Outcome): boolean => result !== undefined && result.steps.cached === result.steps.total;
const reasons = ({ events }: Outcome): readonly string[] =>
  events.flatMap((event) => (event.kind === "miss" ? event.reasons : []));

/** Builds lines over nothing and writes the files beside the project. */
async function buildLines(project: Project, lines: string, options: Partial<BuildOptions> = {}): Promise<Outcome> {
  project.write("Dockerfile", `FROM scratch\n${lines}`);
  rmSync(out(project), { recursive: true, force: true });
  return await project.build({ outputs: [{ type: "local", dest: out(project) }], ...options });
}

function codeOf({ error }: Outcome): string {
  return error instanceof TsbuildError ? error.code : String(error);
}

/** Every byte that is anywhere in the store. */
function holds(directory: string, canary: string): readonly string[] {
  const found = execFileSync("sh", ["-c", `grep -raFl -- "$1" "$2" || true`, "sh", canary, directory]);
  return found.toString().split("\n").filter(Boolean);
}

/** A tar archive with one file. */
function archive(project: Project, name: string, text: string): Buffer {
  const directory = beside(project, "archive");
  mkdirSync(directory, { recursive: true });
  execFileSync("sh", ["-c", `cd "$1" && printf %s "$3" > "$2" && chmod 640 "$2"`, "sh", directory, name, text]);
  return execFileSync("tar", ["-C", directory, "--numeric-owner", "-cf", "-", name]);
}

describe("ADD of a URL", () => {
  it("is a file of root's with mode 0600 and the server's time, called as the URL ends", async () => {
    using project = new Project({});
    server.file("/dir/a%20b.txt", "hello", { "last-modified": "Tue, 01 Jun 2021 10:00:00 GMT" });
    const { error } = await buildLines(project, `ADD ${server.origin}/dir/a%20b.txt?x=1#top /to/\n`);
    expect(error).toBeUndefined();
    expect(listTree(out(project))).toEqual(["0755 0:0 to/", "0600 0:0 to/a b.txt"]);
    expect(read(project, "to/a b.txt")).toBe("hello");
    expect(statSync(join(out(project), "to/a b.txt")).mtimeMs).toBe(Date.UTC(2021, 5, 1, 10));
    expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(["GET /dir/a%20b.txt?x=1"]);
  });

  it("has the name of a destination without slash, or goes into the directory that is there", async () => {
    using project = new Project({ "d/x": "x" });
    server.file("/f", "f");
    await buildLines(
      project,
      `COPY d/ /d/\nADD ${server.origin}/f /name\nADD ${server.origin}/f /d\nADD ${server.origin} /\n`,
    );
    // The server's own page has no name; it is not there in this test.
    server.file("/", "page");
    const { error } = await buildLines(
      project,
      `COPY d/ /d/\nADD ${server.origin}/f /name\nADD ${server.origin}/f /d\nADD ${server.origin} /\n`,
    );
    expect(error).toBeUndefined();
    expect(listTree(out(project)).map((line) => line.split(" ").at(-1))).toEqual([
      "__unnamed__",
      "d/",
      "d/f",
      "d/x",
      "name",
    ]);
  });

  it("takes --chown, --chmod, --link and --exclude, beside files and heredocs", async () => {
    using project = new Project({ "x.txt": "x" });
    server.file("/f", "f");
    const { error } = await buildLines(
      project,
      `ADD --link --chown=3:4 --chmod=u=rwx,go=rx --exclude=f ${server.origin}/f x.txt <<h /d/\nheredoc\nh\n`,
    );
    expect(error).toBeUndefined();
    expect(listTree(out(project))).toEqual(["0755 3:4 d/", "0755 3:4 d/f", "0755 3:4 d/h", "0755 3:4 d/x.txt"]);
  });

  it("unpacks archives only with --unpack", async () => {
    using project = new Project({});
    const tar = archive(project, "in.txt", "in");
    server.file("/a.tgz", gzipSync(tar));
    const packed = await buildLines(
      project,
      `ADD ${server.origin}/a.tgz /d/\nADD --unpack=false ${server.origin}/a.tgz /e/\n`,
    );
    expect(packed.error).toBeUndefined();
    expect(listTree(out(project))).toContain("0600 0:0 d/a.tgz");
    const unpacked = await buildLines(project, `ADD --unpack --chown=7:8 ${server.origin}/a.tgz /d/\n`);
    expect(unpacked.error).toBeUndefined();
    expect(listTree(out(project))).toEqual(["0755 7:8 d/", "0640 7:8 d/in.txt"]);
    server.file("/plain", "no archive");
    await buildLines(project, `ADD --unpack ${server.origin}/plain /d/\n`);
    expect(read(project, "d/plain")).toBe("no archive");
  });

  it("replaces variables in the URL and in --checksum", async () => {
    using project = new Project({});
    server.file("/v2/f", "two");
    const { error } = await buildLines(project, `ARG V=1\nARG SUM\nADD --checksum=$SUM ${server.origin}/v\${V}/f /\n`, {
      buildArgs: { V: "2", SUM: sha256("two") },
    });
    expect(error).toBeUndefined();
    expect(read(project, "f")).toBe("two");
  });

  it("understands a server that packs what it was not asked to pack", async () => {
    using project = new Project({});
    server.file("/f", gzipSync("plain"), { "content-encoding": "gzip" });
    await buildLines(project, `ADD --checksum=${sha256("plain")} ${server.origin}/f /\n`);
    expect(read(project, "f")).toBe("plain");
    expect(server.requests[0]?.headers["accept-encoding"]).toBe("identity");
  });
});

describe("ADD of a URL is cached", () => {
  it("by its content: an ETag spares the download, another content is a miss that says so", async () => {
    using project = new Project({});
    const lines = `ADD ${server.origin}/f /\n`;
    server.tagged("/f", "one", '"1"');
    await buildLines(project, lines);
    const again = await buildLines(project, lines);
    expect(cachedAll(again)).toBe(true);
    expect(server.requests.map(({ headers }) => headers["if-none-match"])).toEqual([undefined, '"1"']);
    server.tagged("/f", "two", '"2"');
    const changed = await buildLines(project, lines);
    expect(read(project, "f")).toBe("two");
    expect(reasons(changed)).toEqual([
      `${server.origin}/f changed: ${sha256("one").slice(0, 19)} -> ${sha256("two").slice(0, 19)}`,
    ]);
  });

  it("by If-Modified-Since where the time is old enough to be trusted", async () => {
    using project = new Project({});
    const times = { "last-modified": "Tue, 01 Jun 2021 10:00:00 GMT" };
    server.on("/f", ({ headers }, response) => {
      if (headers["if-modified-since"] === times["last-modified"]) response.writeHead(304).end();
      else response.writeHead(200, times).end("f");
    });
    const lines = `ADD ${server.origin}/f /\n`;
    await buildLines(project, lines);
    expect(cachedAll(await buildLines(project, lines))).toBe(true);
    expect(server.requests[1]?.headers["if-modified-since"]).toBe(times["last-modified"]);
    // A step that has to run again takes the file from the store, with its time.
    await buildLines(project, `ADD ${server.origin}/f /g\n`);
    expect(statSync(join(out(project), "g")).mtimeMs).toBe(Date.UTC(2021, 5, 1, 10));
    server.file("/new", "n", { "last-modified": new Date().toUTCString() });
    await buildLines(project, `ADD ${server.origin}/new /\n`);
    await buildLines(project, `ADD ${server.origin}/new /\n`);
    expect(server.requests.at(-1)?.headers["if-modified-since"]).toBeUndefined();
  });

  it("though the server knows ETags and does not compare them", async () => {
    using project = new Project({});
    const big = Buffer.alloc(1 << 20, "x");
    server.file("/f", big, { etag: 'W/"weak"' });
    await buildLines(project, `ADD ${server.origin}/f /\n`);
    const again = await buildLines(project, `ADD ${server.origin}/f /\n`);
    expect(cachedAll(again)).toBe(true);
    expect(again.events.some((event) => event.kind === "status")).toBe(false);
  });

  it("though the same content comes with another time, whatever the base", async () => {
    using project = new Project({ x: "x" });
    server.file("/f", "f", { "last-modified": "Tue, 01 Jun 2021 10:00:00 GMT" });
    await buildLines(project, `ADD ${server.origin}/f /\n`);
    server.file("/f", "f", { "last-modified": "Wed, 01 Jun 2022 10:00:00 GMT" });
    expect(cachedAll(await buildLines(project, `ADD ${server.origin}/f /\n`))).toBe(true);
    const linked = `ADD --link ${server.origin}/f /d/\n`;
    await buildLines(project, `COPY x /a\n${linked}`);
    const rebased = await buildLines(project, `COPY x /b\n${linked}`);
    expect(rebased.result?.steps).toEqual({ total: 2, cached: 1 });
  });

  it("with a checksum without any request, and runs again without a server", async () => {
    using project = new Project({});
    await using gone = await UrlServer.start();
    gone.file("/f", "f");
    for (const checksum of [sha256("f"), `sha512:${createHash("sha512").update("f").digest("hex")}`]) {
      const lines = `ADD --checksum=${checksum} ${gone.origin}/f /\n`;
      expect((await buildLines(project, lines)).error).toBeUndefined();
      const { length } = gone.requests;
      expect(cachedAll(await buildLines(project, lines))).toBe(true);
      expect(gone.requests.length).toBe(length);
    }
    await gone.stop();
    const moved = await buildLines(project, `ADD --checksum=${sha256("f")} ${gone.origin}/f /elsewhere\n`);
    expect(moved.error).toBeUndefined();
    expect(read(project, "elsewhere")).toBe("f");
    expect(codeOf(await buildLines(project, `ADD ${gone.origin}/f /\n`))).toBe("E_URL_UNREACHABLE");
  });

  it("asks a URL once in a build, also with --no-cache, which does not download it again", async () => {
    using project = new Project({});
    server.tagged("/f", "f", '"1"');
    const lines = `ADD ${server.origin}/f /a\nADD ${server.origin}/f /b\n`;
    await buildLines(project, lines);
    expect(server.requests.length).toBe(1);
    const forced = await buildLines(project, lines, { noCache: true });
    expect(forced.result?.steps).toEqual({ total: 2, cached: 0 });
    expect(server.requests.map(({ headers }) => headers["if-none-match"])).toEqual([undefined, '"1"']);
  });

  it("until prune -a, which takes the file", async () => {
    using project = new Project({});
    server.file("/f", "kept");
    await buildLines(project, `ADD ${server.origin}/f /\n`);
    const blob = join(project.store, "blobs/sha256", sha256("kept").slice(7));
    {
      await using store = await openStore({ root: project.store });
      await store.collect({ dangling: true });
    }
    expect(existsSync(blob)).toBe(true);
    {
      await using store = await openStore({ root: project.store });
      await store.collect({ dangling: true, unusedFor: 0 });
    }
    expect(existsSync(blob)).toBe(false);
    expect(cachedAll(await buildLines(project, `ADD ${server.origin}/f /\n`))).toBe(false);
    expect(read(project, "f")).toBe("kept");
  });
});

describe("ADD of a URL refuses", () => {
  it("content that is not what --checksum says, and keeps nothing of it", async () => {
    using project = new Project({});
    server.file("/f", "evil");
    for (const expected of [sha256("good"), `sha384:${createHash("sha384").update("good").digest("hex")}`]) {
      const outcome = await buildLines(project, `ADD --checksum=${expected} ${server.origin}/f /\n`);
      const [algorithm = ""] = expected.split(":");
      const actual = `${algorithm}:${createHash(algorithm).update("evil").digest("hex")}`;
      expect(outcome.error).toMatchObject({
        code: "E_URL_CHECKSUM",
        notes: [`expected ${expected}`, `received ${actual}`],
        location: { start: { line: 2 } },
      });
      expect(String(outcome.error instanceof TsbuildError ? outcome.error.hint : "")).toContain(`--checksum=${actual}`);
    }
    expect(holds(join(project.store), "evil")).toEqual([]);
  });

  it.each([
    ["ADD --checksum=sha256:12 URL/f /", "E_CHECKSUM_INVALID"],
    ["ADD --checksum=SUM URL/f URL/g /", "E_CHECKSUM"],
    ["ADD --checksum=SUM Dockerfile /", "E_CHECKSUM"],
    ["ADD --checksum=SUM URL/missing /", "E_URL_NOT_FOUND"],
    ["ADD URL/closed /", "E_URL_AUTH"],
    ["ADD URL/teapot /", "E_URL_STATUS"],
    ["ADD URL/partial /", "E_URL_STATUS"],
    ["ADD URL/loop /", "E_URL_REDIRECT"],
    ["ADD URL/file /", "E_URL_REDIRECT"],
    ["ADD http://[::1/f /", "E_URL_INVALID"],
    ["ADD http://localhost:99999/f /", "E_URL_INVALID"],
    ["COPY URL/f /", "E_COPY_SOURCE"],
  ])("%s: %s", async (line, code) => {
    using project = new Project({});
    server.file("/f", "f");
    server.on("/closed", (_request, response) => response.writeHead(401, { "www-authenticate": "Basic" }).end());
    server.on("/teapot", (_request, response) => response.writeHead(418).end("x".repeat(1 << 20)));
    server.on("/partial", (_request, response) => response.writeHead(206, { "content-range": "bytes 0-0/9" }).end("f"));
    server.on("/loop", (_request, response) => response.writeHead(302, { location: "/loop" }).end());
    server.on("/file", (_request, response) => response.writeHead(302, { location: "file:///etc/passwd" }).end());
    const outcome = await buildLines(project, `${line.replaceAll("URL", server.origin).replace("SUM", sha256("f"))}\n`);
    expect(codeOf(outcome)).toBe(code);
    expect(outcome.error).toMatchObject({ location: { start: { line: 2 } } });
    expect(server.requests.length).toBeLessThan(15);
  });

  it("a body that is damaged or broken off, and tries again what may pass", async () => {
    using project = new Project({});
    let times = 0;
    server.on("/flaky", (_request, response) => {
      times++;
      if (times === 1) return void response.writeHead(503, { "retry-after": "0" }).end();
      response.writeHead(200, { "content-length": "5" });
      if (times === 2) response.write("he", () => response.destroy());
      else response.end("hello");
    });
    const outcome = await buildLines(project, `ADD ${server.origin}/flaky /\n`);
    expect(outcome.error).toBeUndefined();
    expect(read(project, "flaky")).toBe("hello");
    expect(times).toBe(3);
    server.file("/cut", gzipSync("x".repeat(1000)).subarray(0, 15), { "content-encoding": "gzip" });
    expect(codeOf(await buildLines(project, `ADD ${server.origin}/cut /\n`))).toBe("E_COMPRESSION");
  });

  it("to wait for a server that says nothing when the build is canceled, and leaves nothing", async () => {
    using project = new Project({});
    const abort = new AbortController();
    server.on("/slow", (_request, response) => {
      response.writeHead(200, { "content-length": "1000000" });
      response.write("x".repeat(1000), () => abort.abort(new Error("enough")));
    });
    const outcome = await buildLines(project, `ADD ${server.origin}/slow /\n`, { signal: abort.signal });
    expect(String(outcome.error)).toContain("enough");
    expect(readdirSync(join(project.store, "leases"))).toEqual([]);
    expect(existsSync(join(project.store, "blobs"))).toBe(false);
  });
});

describe("credentials of a URL", () => {
  it("are in the URL, reach its origin alone, and are nowhere else", async () => {
    using project = new Project({});
    server.on("/f", (_request, response) => response.writeHead(302, { location: `${other.origin}/g` }).end());
    server.on("/own", (_request, response) => response.writeHead(302, { location: "/last" }).end());
    server.file("/last", "last");
    other.file("/g", "g");
    const canary = "c4n4ry-in-url";
    const url = server.origin.replace("//", `//user:${canary}@`);
    const outcome = await buildLines(project, `ADD ${url}/f /\nADD ${url}/own /\n`);
    expect(outcome.error).toBeUndefined();
    const basic = `Basic ${Buffer.from(`user:${canary}`).toString("base64")}`;
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([basic, basic, basic]);
    expect(other.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
    const image = await project.build({ outputs: [{ type: "oci", dest: beside(project, "image"), tar: false }] });
    server.on("/f", (_request, response) => response.writeHead(500).end());
    server.on("/own", (_request, response) => response.writeHead(404).end());
    const failed = await buildLines(project, `ADD ${url}/own /\n`);
    expect(failed.error).toBeInstanceOf(TsbuildError);
    for (const { events, error } of [outcome, image, failed]) {
      expect(JSON.stringify(events)).not.toContain(canary);
      expect(error instanceof Error ? error.message : "").not.toContain(canary);
    }
    expect(holds(project.store, canary)).toEqual([]);
    expect(holds(beside(project, "image"), canary)).toEqual([]);
    expect(readFileSync(join(beside(project, "image"), "index.json"), "utf8")).toContain("manifest");
  });

  it("come from secrets by the host's name: a token, or a whole header", async () => {
    using project = new Project({});
    server.on("/f", ({ headers }, response) =>
      response.writeHead(headers.authorization === undefined ? 401 : 200).end(headers.authorization ?? ""),
    );
    const lines = `ADD ${server.origin}/f /\n`;
    expect(codeOf(await buildLines(project, lines))).toBe("E_URL_AUTH");
    await buildLines(project, lines, { secrets: { "HTTP_AUTH_TOKEN_127.0.0.1": () => "t0ken\n" } });
    expect(read(project, "f")).toBe("Bearer t0ken");
    await buildLines(project, lines, { secrets: { "HTTP_AUTH_HEADER_127.0.0.1": () => "Custom abc" } });
    expect(read(project, "f")).toBe("Custom abc");
    const injected = await buildLines(project, lines, { secrets: { "HTTP_AUTH_HEADER_127.0.0.1": () => "a\r\nb: c" } });
    expect(codeOf(injected)).toBe("E_SECRET_READ");
  });
});

describe("a download", () => {
  it("ends when another step fails", async () => {
    using project = new Project({});
    server.on("/slow", (_request, response) => {
      response.writeHead(200, { "content-length": "1000000" });
      response.write("x");
    });
    server.on("/failing", (_request, response) => response.writeHead(404).end());
    const outcome = await buildLines(project, `ADD ${server.origin}/slow ${server.origin}/failing /\n`);
    expect(codeOf(outcome)).toBe("E_URL_NOT_FOUND");
  });
});
