import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { run } from "../../builder/index.ts";
import { tsbuild } from "../rig/command.ts";
import { fromBusybox, Project } from "../rig/project.ts";

describe("a working directory that the file system does not have", () => {
  it("is made by the RUN that needs it, and is in its layer", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}WORKDIR /tmp/b\nRUN rm -rf /tmp/b\nRUN pwd\n` });
    const dest = join(project.directory, "..", "out");
    const { error, log } = await project.build({ outputs: [{ type: "local", dest }] });
    expect([error, log]).toEqual([undefined, "/tmp/b\n"]);
    const made = statSync(join(dest, "tmp/b"));
    expect([made.mode & 0o7777, made.uid, made.gid]).toEqual([0o755, 0, 0]);
  });

  it("of a base image without that directory is made by RUN, run and shell", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}WORKDIR /srv/app\nRUN rm -rf /srv\n` });
    await project.build({ tags: ["base"], squash: "all" });
    project.write("Dockerfile", "FROM base\nUSER app\nRUN pwd\n");
    const { error, log } = await project.build();
    expect([error, log]).toEqual([undefined, "/srv/app\n"]);
    for (const words of [
      ["run", "base", "sh", "-c", "pwd"],
      ["shell", "--progress=quiet", ".", "sh", "-c", "pwd"],
    ])
      expect(await tsbuild(project, words)).toMatchObject({ code: 0, stdout: "/srv/app\n" });
  });

  it("that cannot be entered is an error at its RUN, and of run", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}WORKDIR /w\nRUN rmdir /w && echo x > /w\nRUN pwd\n` });
    const { error } = await project.build();
    expect(error).toMatchObject({ code: "E_WORKDIR_INVALID", location: { start: { line: 5 } } });
    project.write("Dockerfile", `${fromBusybox}WORKDIR /w\nRUN rmdir /w && echo x > /w\n`);
    await project.build({ tags: ["app"] });
    const failed = run({ root: project.store, image: "app", command: ["pwd"] });
    await expect(failed).rejects.toMatchObject({ code: "E_WORKDIR_INVALID", exitCode: 125 });
  });
});
