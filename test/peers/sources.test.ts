import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GitServer } from "../rig/git-server.ts";
import { Project } from "../rig/project.ts";
import { UrlServer } from "../rig/url-server.ts";
import { compareImages, readDockerArchive } from "./compare.ts";
import { Dockerd } from "./dockerd.ts";

const run = promisify(execFile);

/** What Debian's BuildKit makes of URLs and repositories is what tsbuild makes of them. */
describe("sources", () => {
  const directory = mkdtempSync(join(tmpdir(), "tsbuild-sources-"));
  const project = new Project({});
  let dockerd: Dockerd;
  let git: GitServer;
  let urls: UrlServer;
  let repository: string;
  let next: string;

  beforeAll(async () => {
    [dockerd, git, urls] = await Promise.all([Dockerd.start(), GitServer.start(), UrlServer.start()]);
    const made = git.repository("r.git");
    made.write("run", "#!/bin/sh\n", 0o755);
    symlinkSync("run", join(made.directory, "link"));
    made.commit({ Dockerfile: "FROM scratch\nCOPY . /c/\n", "sub/Dockerfile": "FROM scratch\nCOPY . /s/\n", a: "1" });
    made.git("tag", "-a", "-m", "message", "v1");
    made.git("checkout", "-q", "-b", "next");
    const inner = git.repository("inner.git");
    made.submodule("module", git.url("inner.git"), inner.commit({ i: "I" }));
    next = made.commit({ ".dockerignore": "a\n", a: "2", ".gitattributes": "a export-ignore\n" });
    made.git("checkout", "-q", "main");
    repository = git.url("r.git");
    const headers = { "last-modified": "Wed, 02 Jun 2021 10:00:00 GMT" };
    urls.file("/dir/file.txt", "text", headers);
    urls.file("/named", "named", { ...headers, "content-disposition": 'attachment; filename="other.name"' });
    urls.file("/Dockerfile", `FROM scratch\nADD ${urls.origin}/named /\n`);
    const archive = join(directory, "archive");
    mkdirSync(archive);
    writeFileSync(join(archive, "Dockerfile"), "FROM scratch\nCOPY . /t/\n");
    writeFileSync(join(archive, ".dockerignore"), "x\n");
    writeFileSync(join(archive, "x"), "X", { mode: 0o640 });
    urls.file(
      "/context.tgz",
      execFileSync("tar", ["-C", archive, "--owner=7", "--group=8", "-czf", "-", "."]),
      headers,
    );
  });

  afterAll(async () => {
    await dockerd[Symbol.asyncDispose]();
    await git[Symbol.asyncDispose]();
    await urls.stop();
    project[Symbol.dispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  /** Differences between what docker and tsbuild build. */
  async function differences(context: string, args: readonly string[] = []): Promise<readonly string[]> {
    const since = Math.floor(Date.now() / 1000) - 60;
    const docker = async (...words: readonly string[]): Promise<unknown> =>
      await run("/usr/bin/docker", ["-H", dockerd.socket, ...words], {
        env: { ...process.env, DOCKER_BUILDKIT: "1" },
      });
    await docker("build", "-q", "--no-cache", "-t", "app", ...args.flatMap((arg) => ["--build-arg", arg]), context);
    const theirs = join(directory, "theirs.tar");
    await docker("save", "-o", theirs, "app");
    const ours = join(directory, "ours.tar");
    const buildArgs = Object.fromEntries(args.map((arg) => arg.split("=")));
    const { error } = await project.build({
      context,
      buildArgs,
      tags: ["app"],
      outputs: [{ type: "docker", dest: ours, tar: true }],
      registry: { env: { PATH: process.env["PATH"] ?? "" } },
    });
    expect(error).toBeUndefined();
    return compareImages(await readDockerArchive(theirs), await readDockerArchive(ours), since);
  }

  it.each(["main", "v1", "refs/heads/main"])("git context #%s", async (ref) => {
    expect(await differences(`${repository}#${ref}`)).toEqual([]);
  });

  it("git context with a submodule, by branch and by commit; only BuildKit has a .git there that leads nowhere", async () => {
    for (const ref of ["next", next])
      expect(await differences(`${repository}#${ref}`)).toEqual(["c/module/.git: only in the first"]);
  });

  it.each(["/context.tgz", "/Dockerfile"])("http context %s", async (path) => {
    expect(await differences(urls.origin + path)).toEqual([]);
  });

  it.each([
    "URL/dir/file.txt /",
    "URL/dir/file.txt /renamed",
    "URL/dir/file.txt?x=/y /d/",
    "URL/named /d/",
    "URL/named URL/dir/file.txt /d/",
    "--chown=3:4 URL/named /d/x",
    "URL/context.tgz /",
    "URL/dir/file.txt#fragment /f/",
  ])("ADD %s", async (line) => {
    project.write("Dockerfile", `FROM scratch\nADD ${line.replaceAll("URL", urls.origin)}\n`);
    expect(await differences(project.directory)).toEqual([]);
  });
});
