import { randomBytes } from "node:crypto";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { BuildOptions } from "../../builder/index.ts";
import { TsbuildError } from "../../native/errors.ts";
import { openStore } from "../../store/open.ts";
import { TestAuthority } from "../rig/certificates.ts";
import { GitServer, type GitRepository } from "../rig/git-server.ts";
import { listTree } from "../rig/list-tree.ts";
import { Project, type Outcome } from "../rig/project.ts";
import { sshd, startSshd } from "../rig/sshd.ts";
import { makeTemp } from "../rig/temp.ts";

let server: GitServer;
let other: GitServer;
let repository: GitRepository;
let url: string;
let count = 0;

beforeAll(async () => {
  [server, other] = await Promise.all([GitServer.start(), GitServer.start()]);
});
beforeEach(() => {
  for (const one of [server, other]) {
    one.requests.length = 0;
    one.faults = {};
  }
  const name = `repository-${++count}.git`;
  repository = server.repository(name);
  url = server.url(name);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
});

const out = (project: Project): string => join(project.store, "..", "out");
const read = (project: Project, path: string): string => readFileSync(join(out(project), path), "utf8");
const env = { PATH: process.env["PATH"] ?? "" };
const cachedAll = ({ result }: Outcome): boolean => result !== undefined && result.steps.cached === result.steps.total;
const codeOf = ({ error }: Outcome): string => (error instanceof TsbuildError ? error.code : String(error));
const reasons = ({ events }: Outcome): readonly string[] =>
  events.flatMap((event) => (event.kind === "miss" ? event.reasons : []));

/** Builds lines over nothing and writes the files beside the project. */
async function buildLines(project: Project, lines: string, options: Partial<BuildOptions> = {}): Promise<Outcome> {
  project.write("Dockerfile", `FROM scratch\n${lines}`);
  rmSync(out(project), { recursive: true, force: true });
  return await project.build({ outputs: [{ type: "local", dest: out(project) }], registry: { env }, ...options });
}

/** `path` of every file and link below the output. */
const paths = (project: Project): readonly string[] =>
  listTree(out(project))
    .filter((line) => !line.endsWith("/"))
    .map((line) => line.split(" ")[2] ?? "");

function holds(directory: string, canary: string): string {
  return execFileSync("sh", ["-c", 'grep -raFl -- "$1" "$2" || true', "sh", canary, directory]).toString();
}

describe("ADD of a git repository", () => {
  it("is its files, root's, 0644 or 0755 whatever the umask, without .git", async () => {
    using project = new Project({});
    repository.write("bin/run", "#!/bin/sh\n", 0o755);
    symlinkSync("run", join(repository.directory, "bin/link"));
    repository.commit({ "a.txt": "A", "dir/b c.txt": "B" });
    const umask = process.umask(0o077);
    try {
      const { error } = await buildLines(project, `ADD ${url} /src\n`);
      expect(error).toBeUndefined();
    } finally {
      process.umask(umask);
    }
    expect(listTree(join(out(project), "src"))).toEqual([
      "0644 0:0 a.txt",
      "0755 0:0 bin/",
      "link 0:0 bin/link -> run",
      "0755 0:0 bin/run",
      "0755 0:0 dir/",
      "0644 0:0 dir/b c.txt",
    ]);
    expect(readdirSync(join(project.store, "leases"))).toEqual([]);
  });

  it("takes the flags of ADD", async () => {
    using project = new Project({ "x.txt": "x" });
    repository.commit({ a: "A", "b.log": "B" });
    const { error } = await buildLines(
      project,
      `ADD --link --chown=3:4 --chmod=u=rwX,go= --exclude=*.log ${url} x.txt /d/\n`,
    );
    expect(error).toBeUndefined();
    expect(listTree(join(out(project), "d"))).toEqual(["0600 3:4 a", "0600 3:4 x.txt"]);
  });

  describe("at a ref", () => {
    const commits: Record<string, string> = {};
    beforeEach(() => {
      const commit = (name: string): void => {
        commits[name] = repository.commit({ name });
      };
      commit("first");
      repository.git("tag", "light");
      commit("second");
      repository.git("tag", "-a", "-m", "message", "v1.0");
      repository.git("checkout", "-q", "-b", "feature/x");
      commit("third");
      repository.git("update-ref", "refs/pull/7/head", "HEAD");
      repository.git("checkout", "-q", "-b", "same", "main");
      commit("branch same");
      repository.git("tag", "same", "light");
      repository.git("checkout", "-q", "main");
      commit("last");
    });

    it.each([
      ["", "last"],
      ["#main", "last"],
      ["#refs/heads/main", "last"],
      ["#heads/main", "last"],
      ["#HEAD", undefined],
      ["#light", "first"],
      ["#v1.0", "second"],
      ["#feature/x", "third"],
      ["#pull/7/head", "third"],
      ["#same", "branch same"],
      ["?tag=same", "first"],
      ["?branch=same", "branch same"],
      ["?ref=v1.0", "second"],
      ["?branch=v1.0", undefined],
    ])("%s", async (suffix, expected) => {
      using project = new Project({});
      const outcome = await buildLines(project, `ADD ${url}${suffix} /\n`);
      if (expected === undefined) expect(codeOf(outcome)).toBe("E_GIT_REF");
      else expect([outcome.error, read(project, "name")]).toEqual([undefined, expected]);
    });

    it("that is a commit, also one that no branch is at, by whatever way the server has", async () => {
      repository.git("update-server-info");
      for (const how of [{}, { v0: true }, { dumb: true }]) {
        server.faults = how;
        repository.git("config", "uploadpack.allowAnySHA1InWant", String(Object.keys(how).length === 0));
        using project = new Project({});
        for (const name of ["first", "second", "last"]) {
          const outcome = await buildLines(project, `ADD ${url}#${commits[name]} /\n`);
          expect([outcome.error, read(project, "name")]).toEqual([undefined, name]);
        }
        const missing = await buildLines(project, `ADD ${url}#${"0".repeat(39)}1 /\n`);
        expect(codeOf(missing)).toBe("E_GIT_COMMIT");
      }
    });

    it("whose checksum is as the instruction says: of the commit or of the tag", async () => {
      using project = new Project({});
      const tag = repository.git("rev-parse", "v1.0");
      const { second = "", last = "" } = commits;
      expect(tag).not.toBe(second);
      for (const line of [
        `ADD --checksum=${last} ${url} /`,
        `ADD --checksum=${last.slice(0, 7)} ${url}#main /`,
        `ADD ${url}?tag=v1.0&checksum=${second.slice(0, 9)} /`,
        `ADD --checksum=${tag} ${url}#v1.0 /`,
        `ADD --checksum=${last.toUpperCase()} ${url}?commit=${last} /`,
        `ADD ${url}?checksum=${second} /`,
        `ADD ${url}?branch=main&commit=${second}&fetch-by-commit=1 /`,
      ]) {
        const outcome = await buildLines(project, `${line}\n`);
        expect([line, outcome.error]).toEqual([line, undefined]);
      }
      const wrong = await buildLines(project, `ADD --checksum=${second} ${url}#main /\n`);
      expect(wrong.error).toMatchObject({
        code: "E_GIT_CHECKSUM",
        notes: [`expected ${second}`, `received ${last}`],
        location: { start: { line: 2 } },
      });
      const two = await buildLines(project, `ADD --checksum=${second} ${url}#${last} /\n`);
      expect(codeOf(two)).toBe("E_GIT_CHECKSUM");
    });

    it("that is not there, with what may be meant", async () => {
      using project = new Project({});
      const near = await buildLines(project, `ADD ${url}#featur/x /\n`);
      expect(near.error).toMatchObject({ code: "E_GIT_REF", hint: "did you mean feature/x?" });
      const short = await buildLines(project, `ADD ${url}#${commits["last"]?.slice(0, 7)} /\n`);
      expect(short.error).toMatchObject({ code: "E_GIT_REF" });
      expect(short.error instanceof TsbuildError ? short.error.hint : "").toContain("all of its 40 digits");
    });
  });

  it("keeps .git when asked: a repository of its own, at the commit, that knows no password", async () => {
    using project = new Project({});
    repository.commit({ a: "1" });
    const commit = repository.commit({ a: "2" });
    repository.git("tag", "-a", "-m", "message", "v1");
    for (const branch of ["master", "trunk", "a/b"]) repository.git("branch", branch);
    const withUser = url.replace("//", "//user:c4n4ry@");
    const git = (...args: readonly string[]): string =>
      execFileSync("git", ["-c", "safe.directory=*", "-C", join(out(project), "r"), ...args])
        .toString()
        .trim();
    const indexes = new Set<string>();
    for (const line of [
      `ADD --keep-git-dir ${withUser} /r`,
      `ADD --keep-git-dir=true ${withUser}#v1 /r`,
      `ADD ${withUser}?keep-git-dir=1 /r`,
      `ADD --keep-git-dir ${withUser}#${commit} /r`,
      // Of which one is what an empty repository's HEAD names.
      `ADD --keep-git-dir ${withUser}#master /r`,
      `ADD --keep-git-dir ${withUser}#refs/heads/trunk /r`,
      `ADD --keep-git-dir ${withUser}?branch=a/b /r`,
    ]) {
      const { error } = await buildLines(project, `${line}\n`);
      expect([line, error]).toEqual([line, undefined]);
      const digest = readFileSync(join(out(project), "r/.git/index")).toString("hex");
      expect(git("rev-parse", "HEAD")).toBe(commit);
      expect(git("status", "--porcelain")).toBe("");
      indexes.add(digest);
      expect(git("log", "--format=%s")).toBe("change");
      expect(git("config", "remote.origin.url")).toBe(url);
      expect(git("fsck", "--no-dangling")).toBe("");
      expect(existsSync(join(out(project), "r/.git/FETCH_HEAD"))).toBe(false);
      if (line.includes("#v1")) expect(git("describe")).toBe("v1");
      expect(holds(out(project), "c4n4ry")).toBe("");
    }
    expect(indexes.size).toBe(1);
    const conflict = await buildLines(project, `ADD --keep-git-dir=false ${url}?keep-git-dir=true /\n`);
    expect(codeOf(conflict)).toBe("E_GIT_URL");
    // The flag says that a URL is a repository, whatever its path.
    const bare = server.repository(`plain-${count}`);
    bare.commit({ a: "plain" });
    const plain = await buildLines(project, `ADD --keep-git-dir=false ${server.url(`plain-${count}`)} /\n`);
    expect([plain.error, read(project, "a")]).toEqual([undefined, "plain"]);
  });

  it("takes a part of it, to which links may lead but not out of it (CVE-2026-33748)", async () => {
    using project = new Project({});
    repository.commit({ "sub/dir/a": "A", "sub/b": "B", c: "C" });
    symlinkSync("sub/dir", join(repository.directory, "inside"));
    symlinkSync("../../../../../..", join(repository.directory, "up"));
    symlinkSync("/etc", join(repository.directory, "etc"));
    symlinkSync("loop", join(repository.directory, "loop"));
    repository.commit();
    for (const suffix of ["#:sub", "#main:/sub/", "?subdir=sub", "?subdir=x/../sub"]) {
      const { error } = await buildLines(project, `ADD ${url}${suffix} /\n`);
      expect([suffix, error, paths(project)]).toEqual([suffix, undefined, ["b", "dir/a"]]);
    }
    await buildLines(project, `ADD ${url}?subdir=inside&keep-git-dir=1 /\n`);
    expect(paths(project)).toEqual(["a"]);
    for (const subdir of ["up", "etc", "loop", "missing", "c", "up/etc", "sub/../../../etc"]) {
      const outcome = await buildLines(project, `ADD ${url}?subdir=${subdir} /\n`);
      expect([subdir, codeOf(outcome)]).toEqual([subdir, "E_GIT_SUBDIR"]);
    }
  });

  it("is as old as its checkout, or as its commit", async () => {
    using project = new Project({});
    repository.commit({ "d/a": "A" });
    const before = Date.now();
    await buildLines(project, `ADD ${url} /s\n`);
    expect(statSync(join(out(project), "s/d/a")).mtimeMs).toBeGreaterThanOrEqual(before - 2000);
    // Times make no other content: a line that is new.
    await buildLines(project, `ADD --chown=1 ${url}?mtime=commit /s\n`);
    for (const path of ["s/d/a", "s/d"]) expect(statSync(join(out(project), path)).mtimeMs).toBe(1_600_000_000_000);
  });
});

describe("submodules", () => {
  let inner: GitRepository;
  let middle: GitRepository;
  beforeEach(() => {
    inner = server.repository(`inner-${count}.git`);
    const commit = inner.commit({ i: "inner" });
    middle = other.repository(`middle-${count}.git`);
    middle.submodule("in", server.url(`inner-${count}.git`), commit);
    repository.submodule("mid", other.url(`middle-${count}.git`), middle.commit({ m: "middle" }));
    repository.submodule("deep/rel", `../inner-${count}.git`, commit);
  });

  it("are there, however deep, by relative URLs too, with no trace of git", async () => {
    repository.commit({ a: "A" });
    using project = new Project({});
    const { error } = await buildLines(project, `ADD ${url} /\n`);
    expect(error).toBeUndefined();
    expect(paths(project)).toEqual([".gitmodules", "a", "deep/rel/i", "mid/.gitmodules", "mid/in/i", "mid/m"]);
    await buildLines(project, `ADD ${url}?submodules=false /\n`);
    expect(paths(project)).toEqual([".gitmodules", "a"]);
    const kept = await buildLines(project, `ADD --keep-git-dir ${url} /\n`);
    expect(kept.error).toBeUndefined();
    const git = (directory: string): string =>
      execFileSync("git", [
        "-c",
        "safe.directory=*",
        "-C",
        join(out(project), directory),
        "status",
        "--porcelain",
      ]).toString();
    expect([git("."), git("mid"), git("mid/in")]).toEqual(["", "", ""]);
  });

  it("are not of the host's files", async () => {
    using project = new Project({});
    repository.git("rm", "-q", "--cached", "mid");
    for (const bad of [inner.directory, `file://${inner.directory}`, "ext::sh -c 'touch /tmp/pwned-by-submodule'"]) {
      repository.git("config", "-f", ".gitmodules", "submodule.mid.url", bad);
      repository.git("update-index", "--add", "--cacheinfo", `160000,${inner.git("rev-parse", "HEAD")},mid`);
      repository.git("add", ".gitmodules");
      repository.git("commit", "-q", "-m", "bad");
      const outcome = await buildLines(project, `ADD ${url} /\n`);
      expect([bad, codeOf(outcome)]).toEqual([bad, "E_GIT_PROTOCOL"]);
    }
    expect(existsSync("/tmp/pwned-by-submodule")).toBe(false);
  });
});

describe("ADD of a git repository is cached", () => {
  it("by its commit: a ref costs one question, a commit none, and a ref that moved is a miss that says so", async () => {
    using project = new Project({});
    const one = repository.commit({ a: "1" });
    const lines = `ADD ${url} /\n`;
    await buildLines(project, lines);
    server.requests.length = 0;
    expect(cachedAll(await buildLines(project, lines))).toBe(true);
    expect(server.requests.map(({ method }) => method)).toEqual(["GET", "POST"]);
    server.requests.length = 0;
    await buildLines(project, `ADD ${url}#${one} /\n`);
    expect(read(project, "a")).toBe("1");
    expect(server.requests).toEqual([]);
    await buildLines(project, lines);
    const two = repository.commit({ a: "2" });
    const moved = await buildLines(project, lines);
    expect(read(project, "a")).toBe("2");
    expect(reasons(moved).join()).toContain(`branch main of ${url} moved: ${one.slice(0, 12)} -> ${two.slice(0, 12)}`);
  });

  it("by its files: another commit with the same files is no miss", async () => {
    using project = new Project({});
    repository.commit({ a: "1", "sub/b": "1" });
    const lines = `ADD ${url}#:sub /\n`;
    await buildLines(project, lines);
    repository.commit({ a: "2" });
    expect(cachedAll(await buildLines(project, lines))).toBe(true);
    repository.commit({ "sub/b": "2" });
    expect(cachedAll(await buildLines(project, lines))).toBe(false);
  });

  it("by what it fetched: only what is new is fetched again", async () => {
    using project = new Project({});
    const big = Buffer.from(crypto.getRandomValues(new Uint8Array(60_000))).toString("hex");
    repository.commit({ big, a: "1" });
    await buildLines(project, `ADD ${url} /\n`);
    repository.commit({ a: "2" });
    await buildLines(project, `ADD ${url} /\n`);
    const [repo = ""] = readdirSync(join(project.store, "git"));
    const packs = readdirSync(join(project.store, "git", repo, "repo/objects"), { recursive: true, encoding: "utf8" });
    const sizes = packs.map((path) => statSync(join(project.store, "git", repo, "repo/objects", path)).size);
    expect(sizes.filter((size) => size > 60_000)).toHaveLength(1);
  });

  it("in a repository that is mended when it is damaged, begins anew when it is full, and is shared by builds at the same time", async () => {
    using project = new Project({});
    repository.commit({ a: "1" });
    await buildLines(project, `ADD ${url} /\n`);
    const [name = ""] = readdirSync(join(project.store, "git"));
    const repo = join(project.store, "git", name, "repo");
    writeFileSync(join(repo, "shallow.lock"), "");
    mkdirSync(join(repo, "refs/tsbuild"), { recursive: true });
    const two = repository.commit({ a: "2" });
    writeFileSync(join(repo, `refs/tsbuild/${two}.lock`), "");
    const locked = await buildLines(project, `ADD ${url} /\n`);
    expect([locked.error, read(project, "a")]).toEqual([undefined, "2"]);
    for (const path of readdirSync(join(repo, "objects"), { recursive: true, encoding: "utf8" })) {
      if (!statSync(join(repo, "objects", path)).isFile()) continue;
      chmodSync(join(repo, "objects", path), 0o644);
      writeFileSync(join(repo, "objects", path), "damaged");
    }
    repository.commit({ a: "3" });
    const mended = await buildLines(project, `ADD ${url} /\n`);
    expect([mended.error, read(project, "a")]).toEqual([undefined, "3"]);
    const many = join(repo, "refs/tsbuild");
    for (let i = 0; i <= 300; i++) writeFileSync(join(many, `${i}`), `${two}\n`);
    repository.commit({ a: "5" });
    const renewed = await buildLines(project, `ADD ${url} /\n`);
    expect([renewed.error, read(project, "a")]).toEqual([undefined, "5"]);
    expect(readdirSync(many)).toHaveLength(1);
    // Also where one build has commits from before and after that.
    for (let i = 0; i <= 300; i++) writeFileSync(join(many, `${i}`), `${two}\n`);
    repository.commit({ a: "6" });
    const both = await buildLines(project, `ADD ${url}#${two} /two/\nADD ${url} /six/\n`);
    expect([both.error, read(project, "two/a"), read(project, "six/a")]).toEqual([undefined, "2", "6"]);
    repository.commit({ a: "4" });
    project.write("Dockerfile", `FROM scratch\nADD ${url} /\n`);
    const all = await Promise.all(
      [1, 2, 3].map(async () => await project.build({ registry: { env }, outputs: [{ type: "cacheonly" }] })),
    );
    expect(all.map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
  });

  it("until prune -a", async () => {
    using project = new Project({});
    const commit = repository.commit({ a: "1" });
    await buildLines(project, `ADD ${url}#${commit} /\n`);
    for (const [options, left] of [
      [{ dangling: true }, 1],
      [{ dangling: true, unusedFor: 0 }, 0],
    ] as const) {
      await using store = await openStore({ root: project.store });
      await store.collect(options);
      expect(
        readdirSync(join(project.store, "git"), { withFileTypes: true }).filter((one) => one.isDirectory()),
      ).toHaveLength(left);
    }
    expect((await buildLines(project, `ADD ${url}#${commit} /\n`)).error).toBeUndefined();
  });
});

describe("who asks a git server", () => {
  // Its own for each run: every process of the machine is looked at.
  const token = `c4n4ry-${randomBytes(12).toString("hex")}`;
  const basic = (user: string, password: string): string =>
    `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;

  it.each([
    ["GIT_AUTH_TOKEN", token, basic("x-access-token", token)],
    ["GIT_AUTH_TOKEN.HOST", `${token}\n`, basic("x-access-token", token)],
    ["GIT_AUTH_HEADER", basic("me", token), basic("me", token)],
    ["GIT_AUTH_HEADER.HOST", `Bearer ${token}`, `Bearer ${token}`],
    ["URL", token, basic("user", token)],
  ])("is told by %s, and nobody else is", async (name, secret, header) => {
    using project = new Project({});
    repository.commit({ a: "A" });
    server.faults = { auth: { header } };
    const seen: string[] = [];
    server.onRequest = () => seen.push(...processesWith(token, Buffer.from(`user:${token}`).toString("base64")));
    const remote = name === "URL" ? url.replace("//", `//user:${secret}@`) : url;
    const id = name.replace("HOST", server.host);
    const secrets = name === "URL" ? {} : { [id]: () => secret };
    const outcome = await buildLines(project, `ADD ${remote} /\n`, { secrets });
    server.onRequest = undefined;
    expect([outcome.error, read(project, "a")]).toEqual([undefined, "A"]);
    expect(server.requests.some(({ authorization }) => authorization === header)).toBe(true);
    expect(seen).toEqual([]);
    expect(holds(project.store, token)).toBe("");
    expect(JSON.stringify(outcome.events)).not.toContain(token);
    server.faults = { auth: { header: "nobody" } };
    repository.commit({ a: "B" });
    const refused = await buildLines(project, `ADD ${remote} /\n`, { secrets });
    expect(codeOf(refused)).toBe("E_GIT_AUTH");
    const { message, notes, hint } = refused.error as TsbuildError;
    expect(JSON.stringify([refused.events, message, notes, hint])).not.toContain(token);
  });

  it("needs no proxy for this machine", async () => {
    using project = new Project({});
    repository.commit({ a: "A" });
    const proxied = { ...env, HTTP_PROXY: "http://127.0.0.1:1", HTTPS_PROXY: "http://127.0.0.1:1" };
    const outcome = await buildLines(project, `ADD ${url} /\n`, { registry: { env: proxied } });
    expect([outcome.error, read(project, "a")]).toEqual([undefined, "A"]);
  });

  it("is not told to where a server redirects, or where submodules are", async () => {
    using project = new Project({});
    const elsewhere = other.repository(`repository-${count}.git`);
    elsewhere.commit({ a: "elsewhere" });
    for (const secrets of [
      { GIT_AUTH_TOKEN: () => token },
      { GIT_AUTH_HEADER: () => `Bearer ${token}` },
      { [`GIT_AUTH_TOKEN.${server.host}`]: () => token },
    ]) {
      server.faults = { redirect: other.origin };
      other.faults = { auth: { user: "x-access-token", password: token } };
      const outcome = await buildLines(project, `ADD ${url} /\n`, { secrets });
      expect(outcome.error).toBeInstanceOf(TsbuildError);
      expect(other.requests.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
    }
    const named = await buildLines(project, `ADD ${url.replace("//", `//x-access-token:${token}@`)} /\n`);
    expect(named.error).toBeInstanceOf(TsbuildError);
    expect(other.requests.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
    server.faults = {};
    other.faults = {};
    repository.submodule("sub", other.url(`repository-${count}.git`), elsewhere.git("rev-parse", "HEAD"));
    repository.commit();
    other.faults = { auth: { user: "x-access-token", password: token } };
    other.requests.length = 0;
    const outcome = await buildLines(project, `ADD ${url} /\n`, { secrets: { GIT_AUTH_TOKEN: () => token } });
    expect(codeOf(outcome)).toBe("E_GIT_AUTH");
    expect(other.requests.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
  });
});

describe("ADD of a git repository by ssh", () => {
  const missing = [sshd, "/usr/bin/ssh", "/usr/bin/ssh-keygen"].filter((program) => !existsSync(program));
  it.skipIf(missing.length > 0)("uses the agent, and keeps to the key that a host had (needs sshd, ssh)", async () => {
    using temp = makeTemp();
    const [key, stranger] = ["key", "stranger"].map((name) => join(temp.path, name)) as [string, string];
    for (const file of [key, stranger]) execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file]);
    using project = new Project({});
    const commit = repository.commit({ a: "A" });
    const home = join(temp.path, "home");
    mkdirSync(home);
    const hostEnv = { ...env, HOME: home, SSH_AUTH_SOCK: "/nowhere", GIT_SSH_COMMAND: "false" };
    const options = { ssh: { default: { paths: [key] } }, registry: { env: hostEnv } };
    const port = await (async () => {
      using first = await startSshd(temp.path, key);
      const remote = `ssh://root@127.0.0.1:${first.port}${repository.directory}`;
      const lines = `ADD --keep-git-dir ${remote} /\n`;
      const outcome = await buildLines(project, lines, options);
      expect([outcome.error, read(project, "a")]).toEqual([undefined, "A"]);
      expect(readFileSync(join(project.store, "git/known_hosts"), "utf8")).toContain(`[127.0.0.1]:${first.port}`);
      expect(existsSync(join(home, ".ssh"))).toBe(false);
      const unknown = await buildLines(project, lines, { ...options, ssh: { default: { paths: [stranger] } } });
      expect(codeOf(unknown)).toBe("E_GIT_AUTH");
      expect(codeOf(await buildLines(project, lines, { registry: options.registry }))).toBe("E_GIT_AUTH");
      return first.port;
    })();
    using second = await startSshd(temp.path, key, undefined, port);
    const remote = `ssh://root@127.0.0.1:${second.port}${repository.directory}`;
    expect(codeOf(await buildLines(project, `ADD ${remote}?branch=main /\n`, options))).toBe("E_GIT_HOST_KEY");
    expect((await buildLines(project, `ADD ${remote}#${commit} /\n`, options)).error).toBeUndefined();
  });
});

describe("git is run", () => {
  it("without anything of the machine: configuration, variables, templates, repositories above the store", async () => {
    using project = new Project({});
    repository.commit({ a: "A" });
    const evil = join(project.store, "..");
    const config = `[url "http://127.0.0.1:1/"]\n\tinsteadOf = ${server.origin}/\n[core]\n\tsshCommand = false\n`;
    writeFileSync(join(evil, ".gitconfig"), config);
    execFileSync("git", ["init", "-q", evil]);
    writeFileSync(join(evil, ".git/config"), `[core]\n\trepositoryformatversion = 0\n${config}`);
    const hostile = {
      ...env,
      HOME: evil,
      GIT_DIR: join(evil, ".git"),
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "core.hooksPath",
      GIT_CONFIG_VALUE_0: evil,
      GIT_CONFIG_GLOBAL: join(evil, ".gitconfig"),
      GIT_TEMPLATE_DIR: evil,
      GIT_SSH_COMMAND: "false",
      GIT_EXEC_PATH: evil,
      GIT_ALLOW_PROTOCOL: "none",
      PATH: `.:${env.PATH}`,
    };
    const { error } = await buildLines(project, `ADD --keep-git-dir ${url} /\n`, { registry: { env: hostile } });
    expect(error).toBeUndefined();
    expect(paths(project).filter((path) => path.startsWith(".git/hooks"))).toEqual([]);
  });

  it("not after the build is canceled", async () => {
    using project = new Project({});
    server.faults = { silent: true };
    const abort = new AbortController();
    server.onRequest = () => abort.abort(new Error("enough"));
    const outcome = await buildLines(project, `ADD ${url} /\n`, { signal: abort.signal });
    server.onRequest = undefined;
    expect(String(outcome.error)).toContain("enough");
    expect(processesWith(url)).toEqual([]);
  });

  it.each([
    ["a repository that is not there", "URL/../no.git", "E_GIT_NOT_FOUND"],
    ["a port where nobody listens", "http://127.0.0.1:1/x.git", "E_GIT_UNREACHABLE"],
    ["git:// where nobody listens", "git://127.0.0.1:1/x.git", "E_GIT_UNREACHABLE"],
    ["a repository without commits", "URL", "E_GIT_REF"],
    ["an option for a ref (CVE-2019-13139)", "URL#--upload-pack=touch", "E_GIT_URL"],
    ["a file", "file:///etc/x.git", "E_COPY_NOT_FOUND"],
    ["a program", "ext::sh", "E_COPY_NOT_FOUND"],
  ])("%s: %s is %s", async (_what, source, code) => {
    using project = new Project({});
    const outcome = await buildLines(project, `ADD ${source.replace("URL", url)} /\n`);
    expect(codeOf(outcome)).toBe(code);
    expect(outcome.error).toMatchObject({ location: { start: { line: 2 } } });
  });

  it("again when a server has a passing trouble, and tells what to install", async () => {
    using project = new Project({});
    repository.commit({ a: "A" });
    server.faults = { status: { code: 503, times: 1 } };
    expect((await buildLines(project, `ADD ${url} /\n`)).error).toBeUndefined();
    const missing = await buildLines(project, `ADD ${url} /\n`, { registry: { env: { PATH: "/nowhere" } } });
    expect(missing.error).toMatchObject({ code: "E_GIT_MISSING", hint: "install it: apt-get install git" });
  });

  it("with https to servers that are trusted, and follows none of them to http", async () => {
    using temp = makeTemp();
    const authority = new TestAuthority("git");
    await using secure = await GitServer.start(authority.server());
    const directory = secure.repository("r.git");
    directory.commit({ a: "A" });
    using project = new Project({});
    const lines = `ADD ${secure.url("r.git")} /\n`;
    expect(codeOf(await buildLines(project, lines))).toBe("E_GIT_TLS");
    const bundle = join(temp.path, "ca.crt");
    writeFileSync(bundle, authority.cert);
    for (const name of ["GIT_SSL_CAINFO", "SSL_CERT_FILE"]) {
      directory.commit({ a: name });
      const outcome = await buildLines(project, lines, { registry: { env: { ...env, [name]: bundle } } });
      expect([outcome.error, read(project, "a")]).toEqual([undefined, name]);
    }
    directory.commit({ a: "more" });
    secure.faults = { redirect: server.origin };
    server.requests.length = 0;
    const down = await buildLines(project, lines, { registry: { env: { ...env, GIT_SSL_CAINFO: bundle } } });
    expect(codeOf(down)).toBe("E_GIT_PROTOCOL");
    expect(server.requests).toEqual([]);
  });

  it("through the proxy of the environment", async () => {
    // This machine is asked without one.
    const far = "http://git.invalid/x.git";
    using project = new Project({});
    for (const name of ["http_proxy", "HTTP_PROXY"]) {
      const proxied = { ...env, [name]: other.origin };
      const outcome = await buildLines(project, `ADD ${far} /\n`, { registry: { env: proxied } });
      expect(outcome.error).toBeInstanceOf(TsbuildError);
      expect(other.requests.some(({ path }) => path.startsWith(far))).toBe(true);
      other.requests.length = 0;
    }
  });

  it("not for COPY", async () => {
    using project = new Project({});
    for (const source of [url, "git@127.0.0.1:x", "ssh://git@127.0.0.1/x"])
      expect(codeOf(await buildLines(project, `COPY ${source} /\n`))).toBe("E_COPY_SOURCE");
  });
});

/** Processes that have one of these texts among their arguments or variables, but for this one. */
function processesWith(...texts: readonly string[]): readonly string[] {
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
    const found = ["cmdline", "environ"].map((file) => {
      try {
        return readFileSync(`/proc/${pid}/${file}`, "latin1");
      } catch {
        return "";
      }
    });
    return texts.some((text) => found.join().includes(text)) ? found : [];
  });
}
