import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { beside, buildFrom, cachedAll, codeOf, missReasons } from "../rig/build-from.ts";
import { tsbuild, tsbuildWith } from "../rig/command.ts";
import { GitServer, type GitRepository } from "../rig/git-server.ts";
import { PlainUser } from "../rig/plain-user.ts";
import { fromBusybox, Project } from "../rig/project.ts";
import { sshd, startSshd } from "../rig/sshd.ts";
import { makeTemp } from "../rig/temp.ts";

let server: GitServer;
let repository: GitRepository;
let url: string;
let count = 0;

const registry = { env: { PATH: process.env["PATH"] ?? "" } };
const dockerfile = "FROM scratch\nCOPY a.txt ignored /\n";
const files = { Dockerfile: dockerfile, "a.txt": "A", ignored: "I", ".dockerignore": "ignored\n" };

beforeAll(async () => {
  server = await GitServer.start();
});
beforeEach(() => {
  server.requests.length = 0;
  server.faults = {};
  const name = `context-${++count}.git`;
  repository = server.repository(name);
  url = server.url(name);
});
afterAll(async () => await server[Symbol.asyncDispose]());

describe("a git repository as the context", () => {
  it("is its files, without ignore files and .git, fetched before anything else", async () => {
    using project = new Project({});
    repository.commit(files);
    const { outcome, files: made } = await buildFrom(project, { context: url, registry });
    expect([outcome.error, made]).toEqual([undefined, ["a.txt: A", "ignored: I"]]);
    const names = outcome.events.flatMap((event) => (event.kind === "vertex" ? event.vertex.name : []));
    expect(names.slice(0, 3)).toEqual([
      `[internal] resolve ${url}`,
      `[internal] load git source ${url}`,
      "[internal] load build definition from Dockerfile",
    ]);
    expect(readdirSync(join(project.store, "leases"))).toEqual([]);
  });

  it("has a ref, a directory, and a query", async () => {
    using project = new Project({});
    repository.commit({ "dir/Dockerfile": "FROM scratch\nCOPY v /\n", "dir/v": "1" });
    const one = repository.git("rev-parse", "HEAD");
    repository.git("checkout", "-q", "-b", "next");
    repository.commit({ "dir/v": "2" });
    repository.git("checkout", "-q", "main");
    for (const [suffix, text] of [
      ["#:dir", "1"],
      ["#next:dir", "2"],
      [`#${one}:dir`, "1"],
      ["?branch=next&subdir=dir", "2"],
      [`?branch=main&checksum=${one.slice(0, 8)}&subdir=/dir`, "1"],
    ] as const) {
      const { outcome, files: made } = await buildFrom(project, { context: url + suffix, registry });
      expect([suffix, outcome.error, made]).toEqual([suffix, undefined, [`v: ${text}`]]);
    }
    const wrong = await buildFrom(project, { context: `${url}?branch=next&checksum=${one}&subdir=dir`, registry });
    expect(codeOf(wrong.outcome)).toBe("E_GIT_CHECKSUM");
    expect(codeOf((await buildFrom(project, { context: url, registry })).outcome)).toBe("E_DOCKERFILE_NOT_FOUND");
    const bad = await buildFrom(project, { context: `${url}?nonsense=1`, registry });
    expect(codeOf(bad.outcome)).toBe("E_GIT_URL");
  });

  it("takes -f inside of it, - from standard input, and an absolute path of the host", async () => {
    using project = new Project({ Own: "FROM scratch\nCOPY a.txt /own\n" });
    repository.commit({ ...files, "sub/Other": "FROM scratch\nCOPY a.txt /other\n" });
    symlinkSync("/etc/passwd", join(repository.directory, "Link"));
    repository.commit();
    const build = async (given: string, stdin?: AsyncIterable<Uint8Array>): ReturnType<typeof buildFrom> =>
      await buildFrom(project, {
        context: url,
        registry,
        dockerfile: given,
        ...(stdin === undefined ? {} : { stdin }),
      });
    expect((await build("sub/Other")).files).toEqual(["other: A"]);
    expect((await build(join(project.directory, "Own"))).files).toEqual(["own: A"]);
    const stdin = (async function* () {
      yield Buffer.from("FROM scratch\nCOPY a.txt /stdin\n");
    })();
    expect((await build("-", stdin)).files).toEqual(["stdin: A"]);
    for (const outside of ["../Own", "Link"])
      expect(codeOf((await build(outside)).outcome)).toBe("E_DOCKERFILE_NOT_FOUND");
  });

  it("is cached by the files that are used, checked out once, and a miss tells the file", async () => {
    using project = new Project({});
    repository.commit({ ...files, other: "1" });
    const context = url;
    await buildFrom(project, { context, registry });
    const checkouts = (): readonly string[] => {
      const [name = ""] = readdirSync(join(project.store, "git")).filter((one) => /^[0-9a-f]{40}$/.test(one));
      const directory = join(project.store, "git", name, "checkouts");
      return readdirSync(directory)
        .filter((one) => !one.endsWith(".lock"))
        .map((one) => join(directory, one));
    };
    const [first = ""] = checkouts();
    const made = statSync(first).ino;
    server.requests.length = 0;
    expect(cachedAll((await buildFrom(project, { context, registry })).outcome)).toBe(true);
    expect(server.requests.map(({ method }) => method)).toEqual(["GET", "POST"]);
    expect(checkouts().map((one) => statSync(one).ino)).toEqual([made]);
    for (const text of ["2", "3", "4"]) {
      repository.commit({ other: text });
      expect(cachedAll((await buildFrom(project, { context, registry })).outcome)).toBe(true);
    }
    // Some stay, and not the oldest.
    expect(checkouts()).toHaveLength(2);
    expect(checkouts()).not.toContain(first);
    repository.commit({ "a.txt": "B" });
    const changed = await buildFrom(project, { context, registry });
    expect(changed.files).toEqual(["a.txt: B", "ignored: I"]);
    expect(missReasons(changed.outcome)).toEqual(["a.txt changed"]);
  });

  it("with .git when a build argument or the URL asks for it", async () => {
    using project = new Project({});
    repository.commit({ Dockerfile: "FROM scratch\nCOPY . /\n" });
    const kept = (): boolean => existsSync(beside(project, "out/.git/HEAD"));
    const build = async (context: string, value?: string): Promise<boolean> => {
      const buildArgs = value === undefined ? {} : { BUILDKIT_CONTEXT_KEEP_GIT_DIR: value };
      const { outcome } = await buildFrom(project, { context, registry, buildArgs });
      expect(outcome.error).toBeUndefined();
      return kept();
    };
    expect(await build(url)).toBe(false);
    expect(await build(url, "1")).toBe(true);
    expect(await build(url, "false")).toBe(false);
    expect(await build(`${url}?keep-git-dir=true`)).toBe(true);
    const git = ["-c", "safe.directory=*", "-C", beside(project, "out")];
    expect(execFileSync("git", [...git, "status", "--porcelain"]).toString()).toBe("");
    const wrong = await buildFrom(project, {
      context: url,
      registry,
      buildArgs: { BUILDKIT_CONTEXT_KEEP_GIT_DIR: "maybe" },
    });
    expect(codeOf(wrong.outcome)).toBe("E_BUILD_ARG");
  });

  it("gives SOURCE_DATE_EPOCH=context the time of its commit, and any SOURCE_DATE_EPOCH its files that time", async () => {
    using project = new Project({});
    repository.commit({
      Dockerfile: `${fromBusybox}ARG SOURCE_DATE_EPOCH\nRUN --mount=target=/m echo $SOURCE_DATE_EPOCH $(stat -c %Y /m/Dockerfile) > /r\n`,
    });
    execFileSync("cp", ["-r", join(project.directory, "busybox"), repository.directory]);
    repository.commit();
    const build = async (suffix: string, epoch: string): Promise<string | undefined> => {
      const buildArgs = { SOURCE_DATE_EPOCH: epoch };
      const { outcome, files: made } = await buildFrom(project, { context: url + suffix, registry, buildArgs });
      expect(outcome.error).toBeUndefined();
      return made.find((line) => line.startsWith("r: "));
    };
    expect(await build("", "context")).toBe("r: 1600000000 1600000000\n");
    expect(await build("?mtime=commit", "7")).toBe("r: 7 1600000000\n");
    expect(await build("?mtime=checkout", "8")).toMatch(/^r: 8 (?!1600000000)\d+\n/);
  });

  it("is what the command takes, also for why, without telling a password", async () => {
    using project = new Project({});
    repository.commit(files);
    server.faults = { auth: { user: "u", password: "c4n4ry" } };
    const withUser = url.replace("//", "//u:c4n4ry@");
    const built = await tsbuild(project, ["-t", "app", "--progress", "plain", withUser]);
    expect(built).toMatchObject({ code: 0, stdout: "" });
    const why = await tsbuild(project, ["why", withUser]);
    expect(why.code).toBe(0);
    const refused = await tsbuild(project, [url]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("E_GIT_AUTH");
    expect(refused.stderr).toContain("GIT_AUTH_TOKEN");
    const checked = await tsbuild(project, ["build", "--call=outline", withUser]);
    expect(checked.code).toBe(0);
    expect(built.stderr + why.stdout + refused.stderr + checked.stdout + checked.stderr).not.toContain("c4n4ry");
    expect(execFileSync("sh", ["-c", 'grep -raFl c4n4ry "$1" || true', "sh", project.store]).toString()).toBe("");
    const wrong = await tsbuild(project, [`${url}#--exec`]);
    expect(wrong.stderr).toContain("E_GIT_URL");
  });

  it("builds for a plain user what it builds for root", async () => {
    using user = new PlainUser();
    using project = new Project({});
    chmodSync(beside(project, "."), 0o755);
    const inner = server.repository(`inner-${count}.git`);
    repository.submodule("sub", server.url(`inner-${count}.git`), inner.commit({ i: "I" }));
    repository.commit({ Dockerfile: `FROM scratch\nCOPY . /c\nADD --keep-git-dir ${url} /a\n` });
    const words = ["-q", "--build-arg", "SOURCE_DATE_EPOCH=context", url];
    const built = await user.tsbuild(project.directory, words);
    expect(built).toMatchObject({ code: 0, stderr: "" });
    const root = await tsbuild(project, words);
    expect(built.stdout).toBe(root.stdout);
    expect(await user.tsbuild(project.directory, words)).toEqual(built);
  });

  const missing = [sshd, "/usr/bin/ssh", "/usr/bin/ssh-keygen"].filter((program) => !existsSync(program));
  it.skipIf(missing.length > 0)("over ssh has the user's own agent without --ssh (needs sshd, ssh)", async () => {
    using temp = makeTemp();
    using project = new Project({});
    repository.commit(files);
    const key = join(temp.path, "key");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
    using sshServer = await startSshd(temp.path, key);
    const context = `ssh://root@127.0.0.1:${sshServer.port}${repository.directory}`;
    const agent = execFileSync("ssh-agent", ["-s"]).toString();
    const [, socket = ""] = /SSH_AUTH_SOCK=([^;]+)/.exec(agent) ?? [];
    const [, pid = ""] = /SSH_AGENT_PID=(\d+)/.exec(agent) ?? [];
    try {
      execFileSync("ssh-add", ["-q", key], { env: { SSH_AUTH_SOCK: socket } });
      const built = await tsbuildWith(project, [context], { SSH_AUTH_SOCK: socket });
      expect([built.code, built.stderr]).toEqual([0, expect.not.stringContaining("error")]);
      expect((await tsbuild(project, [context])).stderr).toContain("E_GIT_AUTH");
    } finally {
      process.kill(Number(pid));
      rmSync(socket, { force: true });
    }
  });
});

describe("a git repository as a named context", () => {
  it("is there for COPY --from, RUN --mount and FROM, asked for once, and only when it is used", async () => {
    using project = new Project({
      Dockerfile: `FROM other AS base\nFROM scratch AS unused\nCOPY a.txt /\n${fromBusybox}COPY --from=other sub/x /x\nCOPY --from=base /a.txt /b\nRUN --mount=from=other,target=/m cat /m/a.txt > /r\n`,
    });
    repository.commit({ "a.txt": "A", "sub/x": "X" });
    const contexts = { other: `${url}#main` };
    const { outcome, files: made } = await buildFrom(project, { contexts, registry });
    expect(outcome.error).toBeUndefined();
    expect(made.filter((line) => /^[brx]:/.test(line))).toEqual(["b: A", "r: A", "x: X"]);
    expect(server.requests.filter(({ path }) => path.includes("info/refs"))).toHaveLength(2);
    server.requests.length = 0;
    await buildFrom(project, { contexts: { nothing: url }, registry, target: "unused" });
    expect(server.requests).toEqual([]);
  });

  it("is cached by what is read of it, and a step cannot change it", async () => {
    using project = new Project({
      Dockerfile: `${fromBusybox}COPY --from=o a.txt /\nRUN --mount=from=o,target=/m,rw echo changed > /m/a.txt; cat /m/a.txt\n`,
    });
    const contexts = { o: url };
    repository.commit({ "a.txt": "A", b: "1" });
    await buildFrom(project, { contexts, registry });
    expect(cachedAll((await buildFrom(project, { contexts, registry })).outcome)).toBe(true);
    const { files: again } = await buildFrom(project, { contexts, registry, noCache: true });
    expect(again.filter((line) => line.startsWith("a.txt"))).toEqual(["a.txt: A"]);
    repository.commit({ "a.txt": "B" });
    const changed = await buildFrom(project, { contexts, registry });
    expect(missReasons(changed.outcome).join()).toContain("a.txt changed");
    expect(missReasons(changed.outcome).join()).toContain(`branch main of ${url} moved: `);
  });
});
