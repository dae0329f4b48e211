import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { TsbuildError } from "../../native/errors.ts";
import { beside, buildFrom, cachedAll, codeOf, missReasons } from "../rig/build-from.ts";
import { tsbuild } from "../rig/command.ts";
import { fromBusybox, Project } from "../rig/project.ts";
import { UrlServer } from "../rig/url-server.ts";

let server: UrlServer;

beforeAll(async () => {
  server = await UrlServer.start();
});
beforeEach(() => {
  server.requests.length = 0;
});
afterAll(async () => await server.stop());

/** A tar archive of these files; `options` are tar's. */
function archive(project: Project, files: Readonly<Record<string, string>>, ...options: readonly string[]): Buffer {
  const directory = beside(project, "archive");
  rmSync(directory, { recursive: true, force: true });
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(directory, name, ".."), { recursive: true });
    writeFileSync(join(directory, name), text);
    utimesSync(join(directory, name), 1_600_000_000 + name.length, 1_600_000_000 + name.length);
  }
  return execFileSync("tar", ["-C", directory, "--numeric-owner", ...options, "-cf", "-", ...readdirSync(directory)]);
}

const dockerfile = "FROM scratch\nCOPY a.txt ignored /\n";
const files = { Dockerfile: dockerfile, "a.txt": "A", ignored: "I", ".dockerignore": "ignored\n" };

describe("a URL as the context", () => {
  it.each([[], ["--gzip"], ["--bzip2"], ["--xz"], ["--zstd"]])(
    "is an archive %s, without ignore files",
    async (...how) => {
      if (how[0] === "--zstd" && !existsSync("/usr/bin/zstd")) return;
      using project = new Project({});
      // Its name says nothing: the bytes do.
      server.file("/context", archive(project, files, ...how));
      const { outcome, files: made } = await buildFrom(project, { context: `${server.origin}/context` });
      expect(outcome.error).toBeUndefined();
      expect(made).toEqual(["a.txt: A", "ignored: I"]);
      expect(readdirSync(join(project.store, "leases"))).toEqual([]);
    },
  );

  it("is cached by the files that are used, not downloaded again, and fetched before anything else", async () => {
    using project = new Project({});
    const context = `${server.origin}/c.tar`;
    const bytes = archive(project, { ...files, other: "1" }).toString("latin1");
    server.on("/c.tar", ({ headers }, response) => {
      if (headers["if-none-match"] === '"1"') response.writeHead(304).end();
      else response.writeHead(200, { etag: '"1"' }).end(Buffer.from(bytes, "latin1"));
    });
    const first = await buildFrom(project, { context });
    const names = first.outcome.events.flatMap((event) => (event.kind === "vertex" ? event.vertex.name : []));
    expect(names.slice(0, 2)).toEqual([
      "[internal] load remote build context",
      "[internal] load build definition from Dockerfile",
    ]);
    expect(cachedAll((await buildFrom(project, { context })).outcome)).toBe(true);
    expect(server.requests.length).toBe(2);
    server.file("/c.tar", archive(project, { ...files, other: "2" }));
    expect(cachedAll((await buildFrom(project, { context })).outcome)).toBe(true);
    server.file("/c.tar", archive(project, { ...files, "a.txt": "B" }));
    const changed = await buildFrom(project, { context });
    expect(missReasons(changed.outcome)).toEqual(["a.txt changed"]);
  });

  it("takes -f inside of it, - from standard input, and an absolute path of the host", async () => {
    using project = new Project({ Own: "FROM scratch\nCOPY a.txt /own\n" });
    server.file("/c.tar", archive(project, { ...files, "sub/Other": "FROM scratch\nCOPY a.txt /other\n" }));
    const context = `${server.origin}/c.tar`;
    expect((await buildFrom(project, { context, dockerfile: "sub/Other" })).files).toEqual(["other: A"]);
    const local = join(project.directory, "Own");
    expect((await buildFrom(project, { context, dockerfile: local })).files).toEqual(["own: A"]);
    const stdin = (async function* () {
      yield Buffer.from("FROM scratch\nCOPY a.txt /stdin\n");
    })();
    expect((await buildFrom(project, { context, dockerfile: "-", stdin })).files).toEqual(["stdin: A"]);
    expect(codeOf((await buildFrom(project, { context, dockerfile: "../Own" })).outcome)).toBe(
      "E_DOCKERFILE_NOT_FOUND",
    );
  });

  it("is a Dockerfile without any context when it is no archive", async () => {
    using project = new Project({});
    server.file("/Dockerfile", "FROM scratch\nCOPY <<x /x\ntext\nx\n");
    const context = `${server.origin}/Dockerfile`;
    expect((await buildFrom(project, { context })).files).toEqual(["x: text\n"]);
    expect((await buildFrom(project, { context, dockerfile: "dir/Own" })).files).toEqual(["x: text\n"]);
    server.file("/Dockerfile", "FROM scratch\nCOPY Dockerfile /\n");
    expect(codeOf((await buildFrom(project, { context })).outcome)).toBe("E_COPY_NOT_FOUND");
    expect(codeOf((await buildFrom(project, { context, dockerfile: "/x" })).outcome)).toBe("E_CONTEXT_STDIN");
    server.file("/Dockerfile", Buffer.alloc(5 << 20, "x"));
    expect(codeOf((await buildFrom(project, { context })).outcome)).toBe("E_DOCKERFILE_SIZE");
    server.file("/Dockerfile", Buffer.from([0, 1, 2]));
    expect(codeOf((await buildFrom(project, { context })).outcome)).toBe("E_CONTEXT_STDIN");
  });

  it("that is a web page is told as one, which most often means a repository", async () => {
    using project = new Project({});
    server.file("/page", "\n<!DOCTYPE html>\n<html></html>\n");
    for (const given of [{ context: `${server.origin}/page` }, { dockerfile: `${server.origin}/page` }]) {
      const { error } = (await buildFrom(project, given)).outcome;
      const hint = "context" in given ? "ends with .git" : "raw text";
      expect(error).toMatchObject({ code: "E_CONTEXT", hint: expect.stringContaining(hint) });
    }
  });

  it("is there as a file too when it is a Dockerfile alone", async () => {
    using project = new Project({});
    server.file("/alone", "FROM scratch\nCOPY context /\n");
    const { files: made } = await buildFrom(project, { context: `${server.origin}/alone` });
    expect(made).toEqual(["context: FROM scratch\nCOPY context /\n"]);
  });

  it("is refused when it is not there, or leads out of itself", async () => {
    using project = new Project({});
    expect(codeOf((await buildFrom(project, { context: `${server.origin}/no` })).outcome)).toBe("E_URL_NOT_FOUND");
    expect(codeOf((await buildFrom(project, { context: "http://[x/" })).outcome)).toBe("E_URL_INVALID");
    server.file("/up.tar", archive(project, { x: "x" }, "--transform=s,^,../../up-,", "-P"));
    const { outcome } = await buildFrom(project, { context: `${server.origin}/up.tar` });
    expect(outcome.error).toBeInstanceOf(TsbuildError);
    expect(readdirSync(beside(project, ".")).filter((name) => name.startsWith("up-"))).toEqual([]);
  });

  it("gives SOURCE_DATE_EPOCH=context its Last-Modified, or the time of its newest file", async () => {
    using project = new Project({});
    const withEpoch =
      "ARG SOURCE_DATE_EPOCH\nFROM scratch\nARG SOURCE_DATE_EPOCH\nCOPY <<x /x\n$SOURCE_DATE_EPOCH\nx\n";
    const bytes = archive(project, { Dockerfile: withEpoch, "long-name": "x" });
    const context = `${server.origin}/c.tar`;
    const buildArgs = { SOURCE_DATE_EPOCH: "context" };
    server.file("/c.tar", bytes);
    expect((await buildFrom(project, { context, buildArgs })).files).toEqual(["x: 1600000010\n"]);
    server.file("/c.tar", bytes, { "last-modified": "Tue, 01 Jun 2021 10:00:00 GMT" });
    const made = await buildFrom(project, { context, buildArgs });
    expect(made.files).toEqual([`x: ${Date.UTC(2021, 5, 1, 10) / 1000}\n`]);
  });

  it("is what the command takes, without telling a password", async () => {
    using project = new Project({});
    server.on("/c.tar", ({ headers }, response) =>
      response.writeHead(headers.authorization === undefined ? 401 : 200).end(archive(project, files)),
    );
    const url = `${server.origin.replace("//", "//u:c4n4ry@")}/c.tar`;
    const built = await tsbuild(project, ["-t", "app", "--progress", "plain", url]);
    expect(built).toMatchObject({ code: 0, stdout: "" });
    expect(built.stderr).toContain("load remote build context");
    const why = await tsbuild(project, ["why", url]);
    expect(why.code).toBe(0);
    const refused = await tsbuild(project, ["--debug", `${server.origin}/c.tar`]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("E_URL_AUTH");
    expect(refused.stderr).toContain("HTTP_AUTH_TOKEN_127.0.0.1");
    expect(built.stderr + why.stdout + refused.stderr).not.toContain("c4n4ry");
    const found = execFileSync("sh", ["-c", 'grep -raFl c4n4ry "$1" || true', "sh", project.store]);
    expect(found.toString()).toBe("");
  });
});

describe("a URL as a named context", () => {
  it("is unpacked for COPY --from, RUN --mount and FROM, and fetched only when it is used", async () => {
    using project = new Project({
      Dockerfile: `FROM other AS base\nFROM scratch AS unused\nCOPY a.txt /\n${fromBusybox}COPY --from=other sub/x /x\nCOPY --from=base /a.txt /b\nRUN --mount=from=other,target=/m cat /m/a.txt > /r\n`,
    });
    server.file("/o.tgz", archive(project, { "a.txt": "A", "sub/x": "X" }, "--gzip"));
    const contexts = { other: `${server.origin}/o.tgz` };
    const { outcome, files: made } = await buildFrom(project, { contexts });
    expect(outcome.error).toBeUndefined();
    expect(made.filter((line) => /^[brx]:/.test(line))).toEqual(["b: A", "r: A", "x: X"]);
    expect(server.requests.length).toBe(1);
    const unused = await buildFrom(project, { contexts: { nothing: `${server.origin}/o.tgz` }, target: "unused" });
    expect(codeOf(unused.outcome)).toBe("E_COPY_NOT_FOUND");
    expect(server.requests.length).toBe(1);
  });

  it("is cached by what is read of it", async () => {
    using project = new Project({ Dockerfile: "FROM scratch\nCOPY --from=o a.txt /\n" });
    const contexts = { o: `${server.origin}/o.tar` };
    server.file("/o.tar", archive(project, { "a.txt": "A", b: "1" }));
    await buildFrom(project, { contexts });
    server.file("/o.tar", archive(project, { "a.txt": "A", b: "2" }));
    expect(cachedAll((await buildFrom(project, { contexts })).outcome)).toBe(true);
    server.file("/o.tar", archive(project, { "a.txt": "B", b: "2" }));
    const changed = await buildFrom(project, { contexts });
    expect(changed.files).toEqual(["a.txt: B"]);
    expect(missReasons(changed.outcome).join()).toMatch(
      /a\.txt changed,.*o\.tar changed: sha256:\w{12} -> sha256:\w{12}/,
    );
  });

  it("is one file called context when it is no archive", async () => {
    using project = new Project({ Dockerfile: "FROM scratch\nCOPY --from=o context /c\n" });
    server.file("/o", "plain");
    expect((await buildFrom(project, { contexts: { o: `${server.origin}/o` } })).files).toEqual(["c: plain"]);
  });
});

describe("a URL as the Dockerfile", () => {
  it("is used with a directory, whose .dockerignore counts, and with an archive", async () => {
    using project = new Project({ "a.txt": "mine", ".dockerignore": "b.txt\n", "b.txt": "hidden" });
    server.file("/D", "FROM scratch\nCOPY a.txt [b].txt /\n");
    const { outcome, files: made } = await buildFrom(project, { dockerfile: `${server.origin}/D` });
    expect(outcome.error).toBeUndefined();
    expect(made).toEqual(["a.txt: mine"]);
    server.file("/c.tar", archive(project, { Dockerfile: "FROM none", "a.txt": "A", "b.txt": "B" }));
    const both = { context: `${server.origin}/c.tar`, dockerfile: `${server.origin}/D` };
    expect((await buildFrom(project, both)).files).toEqual(["a.txt: A", "b.txt: B"]);
  });

  it("keeps its password to itself, and its errors have the place", async () => {
    using project = new Project({});
    server.on("/D", ({ headers }, response) =>
      response.writeHead(headers.authorization === undefined ? 401 : 200).end("FROM scratch\nCOPPY . /\n"),
    );
    const url = `${server.origin.replace("//", "//u:c4n4ry@")}/D`;
    const failed = await tsbuild(project, ["-f", url, project.directory]);
    expect(failed.stderr).toContain("did you mean `COPY`?");
    expect(failed.stderr).toContain("--> Dockerfile:2:1");
    expect(failed.stderr).not.toContain("c4n4ry");
    const checked = await tsbuild(project, ["--check", "-f", `${server.origin}/D`, project.directory]);
    expect(checked.stderr).toContain("E_URL_AUTH");
    server.file("/D", "FROM scratch AS Last\n");
    const asked = await tsbuild(project, ["--call=targets", "-f", `${server.origin}/D`, project.directory]);
    expect(asked.stdout).toContain("last (default)");
  });
});
