import { chmodSync, existsSync, lstatSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { check, outline, push, targets, type CheckResult } from "../../builder/index.ts";
import { tsbuild } from "../rig/command.ts";
import { GitServer } from "../rig/git-server.ts";
import { PlainUser } from "../rig/plain-user.ts";
import { Project, fromBusybox } from "../rig/project.ts";
import { TestRegistry } from "../rig/registry.ts";
import { UrlServer } from "../rig/url-server.ts";

const noisy = "FROM scratch as base\nCOPY $NOPE /\nFROM scratch\nMAINTAINER me\n";
const rules = ({ warnings }: CheckResult): readonly string[] =>
  warnings.map(({ rule, location }) => `${rule} ${location.start.line}`);

describe("--check", () => {
  it("prints warnings on standard output, ends with 1, runs nothing and makes no store", async () => {
    using project = new Project({ Dockerfile: `${noisy}RUN touch /ran\n` });
    const { code, stdout } = await tsbuild(project, ["--check", "."]);
    expect(code).toBe(1);
    expect(stdout.split("\n").slice(0, 13)).toEqual([
      "Check complete, 3 warnings have been found!",
      "",
      "WARNING: FromAsCasing - https://docs.docker.com/go/dockerfile/rule/from-as-casing/",
      "'as' and 'FROM' keywords' casing do not match",
      "Dockerfile:1",
      "--------------------",
      "   1 | >>> FROM scratch as base",
      "   2 |     COPY $NOPE /",
      "   3 |     FROM scratch",
      "--------------------",
      "",
      "WARNING: UndefinedVar - https://docs.docker.com/go/dockerfile/rule/undefined-var/",
      "Usage of undefined variable '$NOPE'",
    ]);
    expect(existsSync(project.store)).toBe(false);
  });

  it("ends with 0 without a warning, and whatever there is with ignorestatus", async () => {
    using project = new Project({ Dockerfile: "FROM scratch\nCOPY a /\n", noisy });
    const clean = await tsbuild(project, ["build", "--call=check", "."]);
    expect([clean.code, clean.stdout]).toEqual([0, "Check complete, no warnings found.\n"]);
    const ignored = await tsbuild(project, ["--call=check,ignorestatus=true", "-f", "noisy", "."]);
    expect([ignored.code, ignored.stdout.split("\n")[0]]).toEqual([0, "Check complete, 3 warnings have been found!"]);
  });

  it("has BuildKit's JSON, also in the metadata file", async () => {
    using project = new Project({ Dockerfile: "FROM scratch\nMAINTAINER \\\n  me\n" });
    const metadata = join(project.directory, "metadata.json");
    const { code, stdout } = await tsbuild(project, ["--call=check,format=json", "--metadata-file", metadata, "."]);
    const range = (line: number): object => ({ start: { line }, end: { line } });
    const expected = {
      warnings: [
        {
          ruleName: "MaintainerDeprecated",
          description: expect.stringContaining("MAINTAINER"),
          url: "https://docs.docker.com/go/dockerfile/rule/maintainer-deprecated/",
          detail: expect.stringContaining("Maintainer instruction is deprecated"),
          location: { ranges: [range(2), range(3)] },
        },
      ],
      sources: [{ filename: "Dockerfile", data: expect.any(String), language: "Dockerfile" }],
    };
    expect([code, JSON.parse(stdout)]).toEqual([1, expected]);
    expect(JSON.parse(readFileSync(metadata, "utf8"))).toEqual({
      "result.json": expected,
      "result.statuscode": "1",
      "result.txt": expect.stringMatching(/^\nWARNING: MaintainerDeprecated - /),
      version: "1.0.0",
    });
  });

  it("tells what cannot be read after the warnings before it", async () => {
    using project = new Project({ Dockerfile: "FROM scratch\nMAINTAINER me\nCOPY a\n" });
    const { code, stdout, stderr } = await tsbuild(project, ["--check", "."]);
    expect([code, stdout.split("\n")[0]]).toEqual([1, "Check complete, 1 warning has been found!"]);
    expect(stderr).toContain("--> Dockerfile:3:1");
    const json = await tsbuild(project, ["--call=check,format=json,ignorestatus=1", "."]);
    const { buildError, warnings } = JSON.parse(json.stdout);
    expect([json.code, warnings.length]).toEqual([1, 1]);
    expect(buildError.location.ranges).toEqual([{ start: { line: 3 }, end: { line: 3 } }]);
  });

  it("looks at what a target needs, and without one at all stages", async () => {
    using project = new Project({ Dockerfile: `${noisy}FROM scratch AS other\nCOPY $OTHER /\n` });
    const request = { context: project.directory, root: project.store };
    const [written, unneeded] = [["FromAsCasing 1", "MaintainerDeprecated 4"], "UndefinedVar 2"];
    expect(rules(await check(request))).toEqual([written[0], unneeded, written[1], "UndefinedVar 6"]);
    expect(rules(await check({ ...request, target: "other" }))).toEqual([...written, "UndefinedVar 6"]);
    expect(rules(await check({ ...request, target: "base" }))).toEqual([written[0], unneeded, written[1]]);
    expect((await check({ ...request, target: "none" })).error).toMatchObject({ code: "E_TARGET_NOT_FOUND" });
  });

  it("takes standard input: a Dockerfile, and an archive", async () => {
    using project = new Project({});
    const alone = await tsbuild(project, ["--check", "-"], "FROM scratch\nMAINTAINER me\n");
    expect([alone.code, alone.stdout]).toEqual([1, expect.stringContaining(">>> MAINTAINER me")]);
    const beside = await tsbuild(project, ["--check", "-f", "-", "."], "FROM scratch\nMAINTAINER me\n");
    expect([beside.code, beside.stdout]).toEqual([1, expect.stringContaining(">>> MAINTAINER me")]);
  });

  it("needs a Dockerfile, and nothing of the steps: no file of COPY, no --allow, no device", async () => {
    using project = new Project({
      Dockerfile:
        "# syntax=docker/dockerfile:1-labs\nFROM scratch\nCOPY missing /\nRUN --security=insecure --network=host true\nRUN --device=vendor.com/none=none true\n",
    });
    expect(await tsbuild(project, ["--check", "."])).toMatchObject({ code: 0 });
    project.remove("Dockerfile");
    const { code, stdout, stderr } = await tsbuild(project, ["--check", "."]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("error[E_DOCKERFILE_NOT_FOUND]");
  });

  it("takes what a URL and a git repository have, and keeps nothing of them", async () => {
    using project = new Project({});
    await using server = await UrlServer.start();
    server.file("/Dockerfile", "FROM scratch\nMAINTAINER me\n");
    const request = { root: project.store, registry: { env: { PATH: process.env["PATH"] ?? "" } } };
    expect(rules(await check({ ...request, context: `${server.origin}/Dockerfile` }))).toEqual([
      "MaintainerDeprecated 2",
    ]);
    await using git = await GitServer.start();
    git.repository("checked.git").commit({ "sub/Dockerfile": noisy });
    const found = await check({ ...request, context: `${git.url("checked.git")}#:sub` });
    expect(rules(found)).toEqual(["FromAsCasing 1", "UndefinedVar 2", "MaintainerDeprecated 4"]);
    expect(existsSync(project.store)).toBe(false);
  });

  it("is for plain users, who need neither a grant of owners nor a store", async () => {
    using project = new Project({ Dockerfile: noisy });
    using user = new PlainUser({ ranges: false });
    chmodSync(dirname(project.directory), 0o755);
    const { code, stdout, stderr } = await user.tsbuild(project.directory, ["--check", "."]);
    expect({ code, stdout, stderr }).toMatchObject({ code: 1, stdout: expect.stringContaining("UndefinedVar") });
    expect(stderr).not.toMatch(/error|note/);
    expect(existsSync(join(user.home, ".local"))).toBe(false);
  });
});

describe("base images of a check", () => {
  /** Puts an image with a variable under the name; `platform` of it. */
  async function publish(image: string, platform: string): Promise<void> {
    using maker = new Project({ Dockerfile: "FROM scratch\nENV KNOWN=1\nCOPY a /\n", a: "a" });
    expect((await maker.build({ tags: [image], platform })).error).toBeUndefined();
    await push({ root: maker.store, image, platform });
  }

  it("are asked for their config, of a registry, and nothing is kept", async () => {
    await using registry = await TestRegistry.start();
    const image = `${registry.host}/base:1`;
    await publish(image, "linux/amd64");
    registry.requests.length = 0;
    using project = new Project({ Dockerfile: `FROM ${image}\nCOPY $KNOWN $UNKNOWN /\n` });
    const found = await check({ context: project.directory, root: project.store, platform: "linux/arm64" });
    expect(found.warnings.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^Base image .*\/base:1 was pulled with platform "linux\/amd64", expected "linux\/arm64"/),
      "Usage of undefined variable '$UNKNOWN' (did you mean $KNOWN?)",
    ]);
    expect([found.notes, existsSync(project.store)]).toEqual([[], false]);
    expect(registry.requests.filter((one) => !one.includes("/manifests/"))).toHaveLength(1);
  });

  it("are those of the store, which is only read, unless --pull says otherwise", async () => {
    await using registry = await TestRegistry.start();
    const image = `${registry.host}/base:1`;
    await publish(image, "linux/amd64");
    using project = new Project({ Dockerfile: `FROM ${image}\nCOPY a$KNOWN /\n`, a1: "" });
    expect((await project.build({ platform: "linux/amd64" })).error).toBeUndefined();
    const options = { context: project.directory, root: project.store, platform: "linux/amd64" };
    registry.requests.length = 0;
    const before = snapshot(project.store);
    expect(rules(await check(options))).toEqual([]);
    expect([registry.requests, snapshot(project.store)]).toEqual([[], before]);
    expect(rules(await check({ ...options, pull: "always" }))).toEqual([]);
    expect(registry.requests.length).toBeGreaterThan(0);
    expect(snapshot(project.store)).toEqual(before);
  });

  it("that cannot be asked for leave all checks that need none of them", async () => {
    using project = new Project({ Dockerfile: "FROM 127.0.0.1:1/base:1\nCOPY $UNKNOWN /\nMAINTAINER me\n" });
    const { code, stdout, stderr } = await tsbuild(project, ["--check", "."]);
    expect(code).toBe(1);
    expect(stdout).toContain("Check complete, 1 warning has been found!\n\nWARNING: MaintainerDeprecated");
    expect(stderr).toMatch(/\nnote: 127\.0\.0\.1:1\/base:1 could not be looked up: /);
    const json = await tsbuild(project, ["--call=check,format=json", "."]);
    expect(JSON.parse(json.stdout).notes).toEqual([expect.stringContaining("127.0.0.1:1/base:1")]);
    const parameters = await outline({ context: project.directory, root: project.store });
    expect(parameters.notes).toHaveLength(1);
  });

  it("that may be a stage with another name are noted so", async () => {
    using project = new Project({ Dockerfile: "FROM scratch AS builder\nFROM scratch\nCOPY --from=biulder /a /\n" });
    const found = await check({ context: project.directory, root: project.store, pull: "never" });
    expect(found.notes).toEqual([
      expect.stringMatching(/biulder:latest .* \(did you mean the stage builder\?\): it is not/),
    ]);
  });

  it("that a registry does not have are an error with their line", async () => {
    await using registry = await TestRegistry.start();
    using project = new Project({ Dockerfile: `FROM scratch\nFROM ${registry.host}/none:1\nMAINTAINER me\n` });
    const { code, stdout, stderr } = await tsbuild(project, ["--check", "."]);
    expect([code, stdout]).toEqual([1, expect.stringContaining("MaintainerDeprecated")]);
    expect(stderr).toMatch(/\nerror\[E_BASE_NOT_FOUND\][^\n]*\n *--> Dockerfile:2/);
  });
});

describe("--call=outline and --call=targets", () => {
  const dockerfile = `ARG VERSION=3
# base is what all stand on
FROM scratch AS base
ARG VERSION
# MODE debug or release
ARG MODE=debug
RUN --mount=type=secret,id=token,required --mount=type=cache,id=apt,target=/c true
FROM scratch AS unneeded
ARG HIDDEN
# app is what is shipped
FROM base AS app
RUN --mount=type=ssh true
`;

  it("prints what a target can be given", async () => {
    using project = new Project({ Dockerfile: dockerfile });
    const { code, stdout, stderr } = await tsbuild(project, [
      "--call=outline",
      "--progress=quiet",
      "--build-arg",
      "MODE=release",
      ".",
    ]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toBe(
      [
        "TARGET:      app",
        "DESCRIPTION: is what is shipped",
        "",
        "BUILD ARG   VALUE     DESCRIPTION",
        "VERSION     3         ",
        "MODE        release   debug or release",
        "",
        "SECRET   REQUIRED",
        "token    true",
        "",
        "SSH       REQUIRED",
        "default   ",
        "",
        "CACHE MOUNT",
        "apt",
        "",
        "",
      ].join("\n"),
    );
    const json = await tsbuild(project, ["--call=outline,format=json", "--target=unneeded", "."]);
    expect(JSON.parse(json.stdout)).toEqual({
      name: "unneeded",
      args: [{ name: "HIDDEN", location: { ranges: [{ start: { line: 9 }, end: { line: 9 } }] } }],
      sources: [Buffer.from(dockerfile).toString("base64")],
    });
  });

  it("lists the stages, and looks at no image", async () => {
    using project = new Project({
      Dockerfile: dockerfile.replace("FROM scratch AS base", "FROM 127.0.0.1:1/x AS base"),
    });
    const { code, stdout } = await tsbuild(project, ["--call=targets", "."]);
    expect([code, stdout]).toEqual([
      0,
      "TARGET        DESCRIPTION\nbase          is what all stand on\nunneeded      \napp (default) is what is shipped\n",
    ]);
    const json = await tsbuild(project, ["--call=targets,format=json", "."]);
    expect(JSON.parse(json.stdout).targets[2]).toEqual({
      name: "app",
      default: true,
      description: "is what is shipped",
      base: "base",
      location: { ranges: [{ start: { line: 11 }, end: { line: 11 } }] },
    });
    const listed = await targets({ context: project.directory, root: project.store });
    expect(listed.targets.map(({ name, isDefault }) => [name, isDefault])).toEqual([
      ["base", false],
      ["unneeded", false],
      ["app", true],
    ]);
  });

  it("ends with an error where a build would", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}COPY a\n` });
    for (const call of ["outline", "targets"]) {
      const { code, stdout, stderr } = await tsbuild(project, [`--call=${call},format=json`, "."]);
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toContain("--> Dockerfile:3:1");
    }
  });
});

/** Paths of all that is in a store, with times of change. */
function snapshot(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .toSorted()
    .map((path) => `${path} ${lstatSync(join(directory, path)).mtimeMs}`);
}
