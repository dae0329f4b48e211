import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { tsbuild, type Ended } from "../rig/command.ts";
import { fromBusybox, Project } from "../rig/project.ts";
import { UrlServer } from "../rig/url-server.ts";

const command = async (project: Project, line: string): Promise<Ended> => await tsbuild(project, line.split(" "));

/** A project with an archive of an image's files. */
async function exported(): Promise<Project> {
  const project = new Project({
    Dockerfile: `${fromBusybox}RUN echo x > /file && chown 7:8 /file && chmod 4711 /file && ln /file /hard && mknod /null c 1 3\n`,
  });
  expect((await command(project, "-q -t app .")).code).toBe(0);
  expect(await command(project, "export -q -o root.tar app")).toEqual({ code: 0, stdout: "", stderr: "" });
  return project;
}

const listing = (archive: Buffer): readonly string[] =>
  execFileSync("tar", ["-tv", "--numeric-owner"], { input: archive }).toString().trim().split("\n");

describe("tsbuild export and import", () => {
  it("give an image again with owners, modes, links and devices", async () => {
    using project = await exported();
    const archive = readFileSync(join(project.directory, "root.tar"));
    expect(listing(archive).filter((line) => /file|hard|null/.test(line))).toEqual([
      expect.stringMatching(/^-rws--x--x 7\/8 +2 .* file$/),
      expect.stringMatching(/^hrws--x--x 7\/8 +0 .* hard link to file$/),
      expect.stringMatching(/^crw-r--r-- 0\/0 +1,3 .* null$/),
    ]);
    symlinkSync("root.tar", join(project.directory, "link.tar"));
    const words = [
      "import",
      "-q",
      "-c",
      'CMD ["stat", "-c", "%u:%g:%a:%h", "/file"]',
      "-c",
      "ENV A=1",
      "link.tar",
      "again:1",
    ];
    const made = await tsbuild(project, words);
    expect(made).toEqual({ code: 0, stdout: expect.stringMatching(/^sha256:[0-9a-f]{64}\n$/), stderr: "" });
    expect((await command(project, "run again:1")).stdout).toBe("7:8:4711:2\n");
    expect(
      (await tsbuild(project, ["inspect", "-f", "{{.Config.Env}} {{len .RootFS.Layers}}", "again:1"])).stdout,
    ).toMatch(/A=1\] 1\n$/);
    expect((await command(project, "export -q -o second.tar again:1")).code).toBe(0);
    expect(listing(readFileSync(join(project.directory, "second.tar")))).toEqual(listing(archive));
  });

  it("takes compressed archives, standard input and URLs for the same", async () => {
    using project = await exported();
    await using server = await UrlServer.start();
    const archive = readFileSync(join(project.directory, "root.tar"));
    const packed = execFileSync("gzip", ["-c"], { input: archive });
    writeFileSync(join(project.directory, "root.tgz"), packed);
    server.file("/root.tgz", packed);
    const layer = async (source: string, name: string): Promise<string> => {
      expect((await command(project, `import -q ${source} ${name}`)).code).toBe(0);
      return (await tsbuild(project, ["inspect", "-f", "{{.RootFS.Layers}}", name])).stdout;
    };
    const one = await layer("root.tar", "one");
    expect(await layer("root.tgz", "two")).toBe(one);
    expect(await layer(`${server.origin}/root.tgz`, "three")).toBe(one);
    const env = { ...process.env, TSBUILD_ROOT: project.store };
    const program = resolve("builder/cli/tsbuild");
    execFileSync("sh", ["-c", '"$0" import -q - four < root.tgz', program], { cwd: project.directory, env });
    expect((await tsbuild(project, ["inspect", "-f", "{{.RootFS.Layers}}", "four"])).stdout).toBe(one);
  });

  it.each([
    ["what is no archive", "import Dockerfile x", "it is no tar archive"],
    ["what is not there", "import nosuch x", "Cannot import "],
    ["an empty standard input", "import - x", "standard input: it is no tar archive"],
    ["a change that runs", "import -c RUN root.tar x", '"RUN": it is none of config'],
    ["an image that is not there", "export -o x nosuch", "Cannot find the image nosuch"],
  ])("refuse %s", async (_, line, message) => {
    using project = await exported();
    const refused = await command(project, line);
    expect([refused.code, refused.stdout]).toEqual([1, ""]);
    expect(refused.stderr).toContain(message);
  });

  it("leave nothing when they are killed", async () => {
    using project = new Project({});
    const env = { ...process.env, TSBUILD_ROOT: project.store };
    const child = spawn(resolve("builder/cli/tsbuild"), ["import", "-q", "-", "x"], { env, stdio: ["pipe", 2, 2] });
    const leases = join(project.store, "leases");
    const begun = (): boolean => globSync(join(leases, "*/scratch/import/*")).length > 0;
    await expect.poll(begun, { timeout: 10_000 }).toBe(true);
    const gone = once(child, "close");
    child.kill("SIGKILL");
    await gone;
    await tsbuild(project, ["images"]);
    expect(readdirSync(leases)).toEqual([]);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith("tsbuild-import-"))).toEqual([]);
  });
});
