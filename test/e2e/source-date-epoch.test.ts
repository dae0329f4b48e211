import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { check, outline } from "../../builder/index.ts";
import { buildFrom } from "../rig/build-from.ts";
import { GitServer } from "../rig/git-server.ts";
import { Project } from "../rig/project.ts";
import { makeTemp } from "../rig/temp.ts";
import { UrlServer } from "../rig/url-server.ts";

let server: UrlServer;
let git: GitServer;

beforeAll(async () => {
  [server, git] = await Promise.all([UrlServer.start(), GitServer.start()]);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await git[Symbol.asyncDispose]();
});

const shows = "FROM scratch\nARG SOURCE_DATE_EPOCH\nCOPY <<x /x\n[$SOURCE_DATE_EPOCH]\nx\n";
const dated = { "last-modified": "Tue, 01 Jun 2021 10:00:00 GMT" };
const time = Date.UTC(2021, 5, 1, 10) / 1000;

/** A tar archive, compressed, of one file of that time. */
function archive(seconds: number): Buffer {
  using temp = makeTemp();
  writeFileSync(join(temp.path, "f"), "");
  return execFileSync("tar", ["-C", temp.path, "--gzip", `--mtime=@${seconds}`, "-cf", "-", "f"]);
}

describe("SOURCE_DATE_EPOCH of a stage", () => {
  beforeAll(() => {
    server.file("/dated", "x", dated);
    server.file("/plain", "x");
    server.file("/a.tgz", archive(1_600_000_000));
  });

  const build = async (text: string, options: object = {}): ReturnType<typeof buildFrom> => {
    using project = new Project({ Dockerfile: text.replaceAll("ORIGIN", server.origin), f: "" });
    return await buildFrom(project, options);
  };

  it.each([
    ["Last-Modified", "ADD ORIGIN/dated /", time],
    ["the newest file of an archive", "ADD ORIGIN/a.tgz /", 1_600_000_000],
    ["nothing where there is no time", "ADD ORIGIN/plain /", ""],
    ["variables", "ARG N=dat\nARG N\nADD ORIGIN/${N}ed /", time],
    ["flags", "ADD --chmod=0600 --unpack=true ORIGIN/a.tgz /", 1_600_000_000],
  ])("is %s", async (_, lines, expected) => {
    const { outcome, files } = await build(`ARG SOURCE_DATE_EPOCH=Src\nFROM scratch AS src\n${lines}\n${shows}`);
    expect(outcome.error).toBeUndefined();
    expect(files).toEqual([`x: [${expected}]\n`]);
    const images = outcome.events.flatMap((event) => (event.kind === "vertex" ? event.vertex.name : []));
    expect(images).toContain("[internal] resolve SOURCE_DATE_EPOCH source stage Src");
  });

  it("is the commit's of a repository, also as a build argument", async () => {
    const repository = git.repository("r.git");
    const commit = repository.commit({ a: "1" });
    const seconds = execFileSync("git", ["-C", repository.directory, "log", "-1", "--format=%ct"]).toString().trim();
    const text = `FROM scratch AS src\nADD ${git.url("r.git")}#${commit} /\n${shows}`;
    const { outcome, files } = await build(text, { buildArgs: { SOURCE_DATE_EPOCH: "src" } });
    expect(outcome.error).toBeUndefined();
    expect(files).toEqual([`x: [${seconds}]\n`]);
  });

  it("is that of a named context before that of a stage", async () => {
    const text = `FROM scratch AS src\nADD ORIGIN/a.tgz /\n${shows}`;
    const options = { buildArgs: { SOURCE_DATE_EPOCH: "src" }, contexts: { src: `${server.origin}/dated` } };
    expect((await build(text, options)).files).toEqual([`x: [${time}]\n`]);
    const repository = git.repository("n.git");
    repository.commit({ a: "1" });
    const seconds = execFileSync("git", ["-C", repository.directory, "log", "-1", "--format=%ct"]).toString().trim();
    const other = { ...options, contexts: { src: git.url("n.git") } };
    expect((await build(text, other)).files).toEqual([`x: [${seconds}]\n`]);
    const directory = { ...options, contexts: { src: import.meta.dirname } };
    expect((await build(text, directory)).files).toEqual(["x: []\n"]);
  });

  it.each([
    ["FROM busybox AS src\nADD ORIGIN/dated /", 2, "is not FROM scratch"],
    ["FROM scratch AS src\nADD ORIGIN/dated /\nCOPY f /", 4, "has COPY"],
    ["FROM scratch AS src\nARG x", 2, "has no ADD"],
    ["FROM scratch AS src\nADD ORIGIN/dated /\nADD ORIGIN/plain /", 4, "has a second ADD"],
    ["FROM scratch AS src\nADD ORIGIN/dated ORIGIN/plain /x/", 3, "adds more than one thing"],
    ["FROM scratch AS src\nADD f /x/", 3, "adds what has no time"],
    ["FROM scratch AS src\nADD --checksum=x ORIGIN/dated /x/", 3, "checksum"],
  ])("refuses %j at line %i", async (lines, line, why) => {
    const { outcome } = await build(`ARG SOURCE_DATE_EPOCH=src\n${lines}\n${shows}`);
    expect(outcome.error).toMatchObject({ location: { start: { line } }, message: expect.stringContaining(why) });
  });
});

describe("a wrong SOURCE_DATE_EPOCH", () => {
  it("of the Dockerfile is told with its line, one that is given by its name", async () => {
    using project = new Project({
      Dockerfile: `ARG A\nARG B=1 SOURCE_DATE_EPOCH=sourec\nFROM scratch AS source\n${shows}`,
    });
    const own = (await project.build()).error;
    const location = { start: { line: 2, column: 9 } };
    const message = expect.stringMatching(/^Cannot use SOURCE_DATE_EPOCH=sourec: it is neither a number of seconds/);
    expect(own).toMatchObject({ code: "E_BUILD_ARG", message, location, hint: "did you mean `source`?" });
    const given = (await project.build({ buildArgs: { SOURCE_DATE_EPOCH: "yesterday" } })).error;
    expect(given).toMatchObject({
      code: "E_BUILD_ARG",
      message: expect.stringContaining("Cannot use SOURCE_DATE_EPOCH=yesterday of the environment or --build-arg: "),
    });
    expect(given).not.toHaveProperty("location");
  });

  it("is told by --check and the outline too, which ask nobody for times", async () => {
    using project = new Project({ Dockerfile: `ARG SOURCE_DATE_EPOCH=x\n${shows}` });
    const error = { code: "E_BUILD_ARG", location: { start: { line: 1, column: 5 } } };
    const context = project.directory;
    expect((await check({ context, root: project.store })).error).toMatchObject(error);
    await expect(outline({ context, root: project.store })).rejects.toMatchObject(error);
    server.requests.length = 0;
    project.write("Dockerfile", `ARG SOURCE_DATE_EPOCH=s\nFROM scratch AS s\nADD ${server.origin}/dated /\n${shows}`);
    expect((await check({ context, root: project.store })).error).toBeUndefined();
    expect(server.requests).toEqual([]);
  });
});
