import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { pull, push, run } from "../../builder/index.ts";
import { inspectImage, openStore } from "../../store/index.ts";
import { Project, fromBusybox } from "../rig/project.ts";
import { TestRegistry } from "../rig/registry.ts";

/** What a shell script prints in an image that was built, pushed and pulled into another store. */
async function inPulled(dockerfile: string, script: string): Promise<number> {
  await using registry = await TestRegistry.start();
  using project = new Project({ Dockerfile: `${fromBusybox}${dockerfile}\n` });
  using other = new Project({});
  const image = `${registry.host}/app:1`;
  const { error } = await project.build({ tags: [image] });
  expect(error).toBeUndefined();
  await push({ root: project.store, image });
  await pull({ root: other.store, image });
  const { exitCode } = await run({ root: other.store, image, command: ["/bin/sh", "-c", script] });
  return exitCode;
}

describe("a layer", () => {
  it("names the directories of what it changes: a pulled /tmp has mode 1777", async () => {
    const script = '[ "$(stat -c %a:%u /tmp)" = 1777:0 ] && [ "$(stat -c %a:%u /tmp/d)" = 700:7 ] && cat /tmp/d/f';
    const steps = "RUN mkdir /tmp/d && chmod 700 /tmp/d && chown 7 /tmp/d\nRUN echo x > /tmp/d/f";
    expect(await inPulled(steps, script)).toBe(0);
  });

  it("keeps owners and modes that its directory would not give", async () => {
    const made =
      "mkdir -m 2775 /d && chown 0:7 /d && touch /d/a /d/b && chown 0 /d/b && chgrp 0 /d/b && chmod 4711 /d/b";
    const script = '[ "$(stat -c %a:%u:%g /d/a /d/b | xargs)" = "644:0:7 4711:0:0" ]';
    expect(await inPulled(`RUN ${made}`, script)).toBe(0);
  });

  it("has a file whose other link is new, though the file itself is as before", async () => {
    const script = '[ "$(stat -c %i /f)" = "$(stat -c %i /g)" ] && grep -q x /g';
    expect(await inPulled("RUN echo x > /f\nRUN ln /f /g", script)).toBe(0);
  });

  it("has a directory that took the place of another without what that one had", async () => {
    const steps = "RUN mkdir /d && touch /d/old\nRUN rm -r /d && mkdir /d && touch /d/new";
    expect(await inPulled(steps, '[ "$(ls /d)" = new ]')).toBe(0);
  });

  it("cannot hold a file with the name of a whiteout", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}RUN touch /tmp/.wh.f\n` });
    const { error } = await project.build();
    expect(error).toMatchObject({ code: "E_LAYER_NAME", message: expect.stringContaining("/tmp/.wh.f") });
  });

  it("of a COPY is the same in every build, whatever the directories are that it goes to", async () => {
    using project = new Project({
      Dockerfile: `${fromBusybox}COPY a b /tmp/\nCOPY b /tmp/c\nADD a.tar /tmp/\nADD b /tmp/d/\nWORKDIR /tmp/e\n`,
    });
    for (const name of ["a", "b", "x/y/z"]) project.write(name, name);
    execFileSync("tar", ["-cf", "a.tar", "x/y/z"], { cwd: project.directory });
    const layers = async (tag: string): Promise<unknown> => {
      const { error } = await project.build({ noCache: true, tags: [tag] });
      expect(error).toBeUndefined();
      await using store = await openStore({ root: project.store });
      return (await inspectImage(store, tag)).RootFS.Layers;
    };
    expect(await layers("one")).toEqual(await layers("two"));
  });

  it("of --squash lists no file that an earlier step removed", async () => {
    using project = new Project({ Dockerfile: fromBusybox });
    expect((await project.build({ tags: ["base"] })).error).toBeUndefined();
    project.write("Dockerfile", "FROM base\nRUN mkdir /d && touch /d/f /d/g\nRUN rm /d/f\n");
    const { error } = await project.build({ tags: ["app"], squash: "new" });
    expect(error).toBeUndefined();
    const listed = { root: project.store, image: "app", command: ["/bin/sh", "-c", '[ "$(echo /d/*)" = /d/g ]'] };
    expect(await run(listed)).toEqual({ exitCode: 0 });
  });
});
