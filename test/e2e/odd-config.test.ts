import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { run } from "../../builder/index.ts";
import { tsbuild } from "../rig/command.ts";
import { tarEnd, tarHeader } from "../../store/layer/tar/writer.ts";
import { Layout, named, plainLayer, types } from "../rig/layout.ts";
import { fromBusybox, Project } from "../rig/project.ts";

/** An image of the project's store whose config is a stranger's, and a Dockerfile that is built on it. */
async function odd(config: object): Promise<Project> {
  const project = new Project({ Dockerfile: "FROM base\nRUN true\n" });
  const layout = new Layout(join(project.directory, "..", "layout"));
  const archive = join(project.directory, "..", "odd.tar");
  layout.top([named(layout.image([plainLayer({ file: "x" })], { config }), "docker.io/library/base:latest")]);
  layout.archive(archive);
  expect((await tsbuild(project, ["load", "-i", archive])).stderr).toBe("");
  return project;
}

describe("an image config with odd values", () => {
  it.each<readonly [string, object]>([
    ["WorkingDir", { WorkingDir: "/a\0b" }],
    ["WorkingDir", { WorkingDir: `/${"long/".repeat(2000)}` }],
    ["User", { User: "root\0" }],
    ["User", { User: "a\nb" }],
    ["User", { User: "u".repeat(100_000) }],
    ["Env[1]", { Env: ["A=1", "B=\0"] }],
    ["Env[0]", { Env: [`A=${"x".repeat(140_000)}`] }],
    ["Entrypoint[0]", { Entrypoint: ["/bin/\0sh"] }],
    ["Cmd[1]", { Cmd: ["sh", "\0"] }],
    ["Shell[0]", { Shell: ["\0"] }],
  ])("in %s is refused by run and FROM with its name and the image's: %.60j", async (field, config) => {
    using project = await odd(config);
    const ran = await run({ root: project.store, image: "base", command: ["true"] }).catch((error: unknown) => error);
    expect(ran).toMatchObject({ code: "E_CONFIG_INVALID", message: expect.stringContaining(`config.${field} has`) });
    const { error } = await project.build();
    expect(error).toMatchObject({ code: "E_CONFIG_INVALID", message: expect.stringContaining("base:latest") });
    expect(String(error).length).toBeLessThan(200);
  });

  it("that nothing is done with is no reason to refuse it", async () => {
    using project = await odd({
      Labels: { "a\0": "b\0", long: "x".repeat(200_000) },
      Volumes: { "/v\0": {} },
      ExposedPorts: { "no port": {} },
      StopSignal: "SIG\0",
    });
    const ran = run({ root: project.store, image: "base", command: ["/nothing"] });
    await expect(ran).rejects.toMatchObject({ code: "E_EXEC_NOT_FOUND" });
  });

  it("of 40,000 variables takes no time of its own", async () => {
    using project = new Project({ Dockerfile: fromBusybox });
    const env = Array.from({ length: 40_000 }, (_, at) => `V${at}=${at}`).join(" ");
    project.write("Dockerfile", `${fromBusybox}ENV ${env}\nENV LAST=1\nRUN test $V39999 = 39999 && test $LAST = 1\n`);
    const { error } = await project.build({ tags: ["app"] });
    expect(error).toBeUndefined();
    const ran = await tsbuild(project, ["run", "app", "sh", "-c", "env | grep -c ^V"]);
    expect(ran).toMatchObject({ code: 0, stdout: "40000\n" });
  });

  it("beside a layer whose file has capabilities that are none is refused with the file's name", async () => {
    using project = new Project({ Dockerfile: "FROM base\nCOPY busybox/ /\nRUN true\n" });
    const layout = new Layout(join(project.directory, "..", "layout"));
    const xattrs = new Map([["security.capability", Buffer.from("nonsense")]]);
    const stat = { type: "file", mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0n, xattrs } as const;
    const tar = Buffer.concat([tarHeader("bin/odd", stat), tarEnd]);
    const archive = join(project.directory, "..", "odd.tar");
    layout.top([named(layout.image([{ blob: tar, mediaType: types.tar, tar }]), "docker.io/library/base:latest")]);
    layout.archive(archive);
    await tsbuild(project, ["load", "-i", archive]);
    const { error } = await project.build();
    expect(error).toMatchObject({ code: "E_LAYER_ENTRY", message: expect.stringContaining("/odd") });
    expect(error).toMatchObject({ message: expect.stringContaining("capabilities") });
  });

  it("or a command that is too long says so", async () => {
    using project = new Project({ Dockerfile: fromBusybox });
    await project.build({ tags: ["app"] });
    const ran = run({ root: project.store, image: "app", command: ["echo", "x".repeat(200_000)] });
    await expect(ran).rejects.toMatchObject({ code: "E_EXEC_DENIED", hint: expect.stringContaining("131071 bytes") });
    const long = run({ root: project.store, image: "app", command: [`/${"n".repeat(300)}`] });
    await expect(long).rejects.toMatchObject({ code: "E_EXEC_DENIED", hint: expect.stringContaining("255") });
  });
});
