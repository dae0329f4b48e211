import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openStore } from "../../store/index.ts";
import { listTree } from "../rig/list-tree.ts";
import { Project, fromBusybox, type Outcome } from "../rig/project.ts";

const cachedAll = ({ result }: Outcome): boolean => result !== undefined && result.steps.cached === result.steps.total;
const reasons = ({ events }: Outcome): readonly string[] =>
  events.flatMap((event) => (event.kind === "miss" ? event.reasons : []));

/** Layer digests of the image that a build makes, base first, and its tree. */
async function layersOf(project: Project): Promise<readonly string[]> {
  const outcome = await project.build({ tags: ["x"] });
  expect(outcome.error).toBeUndefined();
  await using store = await openStore({ root: project.store });
  const target = store.refs.get("docker.io/library/x:latest")?.target;
  if (target === undefined) throw new Error("no image");
  const manifest: { layers: readonly { digest: string }[] } = JSON.parse(String(await store.content.read(target)));
  return manifest.layers.map(({ digest }) => digest);
}

async function treeOf(project: Project): Promise<readonly string[]> {
  const dest = join(project.store, "..", "out");
  const outcome = await project.build({ outputs: [{ type: "local", dest }] });
  expect(outcome.error).toBeUndefined();
  return listTree(dest);
}

const countDirectories = (project: Project): number => readdirSync(join(project.store, "snapshots")).length;

describe("COPY --link", () => {
  it("makes a layer that no other base changes: it is stacked anew without a step and without a file", async () => {
    using project = new Project({ "f.txt": "f", "base.txt": "1" });
    const dockerfile = (base: string): string => `FROM scratch\nCOPY ${base} /base\nCOPY --link f.txt /a/b/f\n`;
    project.write("Dockerfile", dockerfile("base.txt"));
    const [, first] = await layersOf(project);
    const before = countDirectories(project);
    project.write("base.txt", "2");
    const rebased = await project.build();
    expect(rebased.result?.steps).toEqual({ total: 2, cached: 1 });
    expect(reasons(rebased)).toEqual(["base.txt changed"]);
    const [changed, second] = await layersOf(project);
    expect(second).toBe(first);
    expect(changed).not.toBe(first);
    // The new base alone has a directory of its own.
    expect(countDirectories(project)).toBe(before + 1);
    expect(await treeOf(project)).toEqual(["0755 0:0 a/", "0755 0:0 a/b/", "0644 0:0 a/b/f", "0644 0:0 base"]);
    expect(cachedAll(await project.build())).toBe(true);
  });

  it("has the layer that FROM scratch has, whatever the base holds already", async () => {
    using project = new Project({ "f.txt": "f" });
    project.write("Dockerfile", "FROM scratch\nCOPY f.txt /usr/share/f\n");
    const [alone] = await layersOf(project);
    project.write("Dockerfile", "FROM scratch\nCOPY f.txt /usr/share/f\nCOPY --link f.txt /usr/share/f\n");
    const [, linked] = await layersOf(project);
    expect(linked).toBe(alone);
    const archive = join(project.store, "..", "x.tar");
    const saved = await project.build({ outputs: [{ type: "docker", dest: archive, tar: true }] });
    expect(saved.error).toBeUndefined();
  });

  it("does not follow symlinks of the base: what was one becomes a directory", async () => {
    const tools = fromBusybox.replace("scratch", "scratch AS tools");
    using project = new Project({
      "f.txt": "f",
      Dockerfile: `${tools}RUN mkdir -p /r/real && ln -s real /r/link\nFROM scratch\nCOPY --from=tools /r/ /\nCOPY --link f.txt /link/\nCOPY f.txt /link/g\n`,
    });
    expect(await treeOf(project)).toEqual([
      "0755 0:0 link/",
      "0644 0:0 link/f.txt",
      "0644 0:0 link/g",
      "0755 0:0 real/",
    ]);
  });

  it.each([
    ["--chmod=640", ["0755 0:0 usr/", "0755 0:0 usr/lib/", "0640 0:0 usr/lib/f"]],
    ["--chmod=u+x,go=", ["0755 0:0 usr/", "0755 0:0 usr/lib/", "0700 0:0 usr/lib/f"]],
    ["--chown=7:8 --chmod=4711", ["0755 7:8 usr/", "0755 7:8 usr/lib/", "4711 7:8 usr/lib/f"]],
    ["--chown=7", ["0755 7:7 usr/", "0755 7:7 usr/lib/", "0644 7:7 usr/lib/f"]],
    ["--chown=root:5", ["0755 0:5 usr/", "0755 0:5 usr/lib/", "0644 0:5 usr/lib/f"]],
    ["--chown=3:", ["0755 3:0 usr/", "0755 3:0 usr/lib/", "0644 3:0 usr/lib/f"]],
  ])("takes %s, and leaves the mode of the directories it makes alone", async (flags, tree) => {
    using project = new Project({
      "f.txt": "f",
      Dockerfile: `FROM scratch\nCOPY --chmod=700 f.txt /usr/old\nCOPY --link ${flags} f.txt /usr/lib/f\n`,
    });
    const expected = [...tree, "0700 0:0 usr/old"];
    expect(await treeOf(project)).toEqual(expected);
  });

  it.each([
    ["COPY --chown=app --link f.txt /", 6],
    ["COPY --link --chown=1:app f.txt /", 13],
    ["ADD --chown=a1:2 --link f.txt /", 5],
  ])("refuses names of owners: %s", async (line, column) => {
    using project = new Project({ "f.txt": "f", Dockerfile: `${fromBusybox}${line}\n` });
    const { error } = await project.build();
    expect(error).toMatchObject({ code: "E_LINK_OWNER", location: { start: { line: 3, column } } });
  });

  it("is the ground of RUN and of further layers, twice over as well", async () => {
    using project = new Project({
      "f.txt": "f",
      "d/one": "1",
      "d/two": "2",
      Dockerfile: `${fromBusybox}COPY --link d/ /d/\nRUN rm /d/one && echo new > /d/two && cat /d/two && stat -c %a / > /mode\nCOPY --link d/ /d/\nRUN cat /d/one /d/two > /all\n`,
    });
    expect(await treeOf(project)).toEqual(
      expect.arrayContaining(["0644 0:0 all", "0644 0:0 d/one", "0644 0:0 d/two", "0644 0:0 mode"]),
    );
    const out = join(project.store, "..", "out");
    expect(lstatSync(join(out, "all")).size).toBe(2);
    expect(await layersOf(project)).toHaveLength(5);
  });

  it("runs beside the steps below it", async () => {
    using project = new Project({
      "f.txt": "f",
      Dockerfile: `${fromBusybox}RUN echo slow\nCOPY --link f.txt /f\n`,
    });
    const order: string[] = [];
    const names = new Map<string, string>();
    await project.build({
      onEvent: (event) => {
        if (event.kind === "vertex") names.set(event.vertex.digest, event.vertex.name);
        if (event.kind === "completed") order.push(names.get(event.digest) ?? "");
      },
    });
    const place = (part: string): number => order.findIndex((name) => name.includes(part));
    expect(place("COPY --link")).toBeGreaterThanOrEqual(0);
    expect(place("COPY --link")).toBeLessThan(place("RUN echo slow"));
    expect(order.some((name) => name.includes("LINK "))).toBe(false);
  });

  it("stays when what used it is removed, and goes with the last that did", async () => {
    using project = new Project({ "f.txt": "f", "base.txt": "1" });
    project.write("Dockerfile", "FROM scratch\nCOPY base.txt /base\nCOPY --link f.txt /f\n");
    await layersOf(project);
    {
      await using store = await openStore({ root: project.store });
      for (const row of store.refs.list()) expect(row.name).toContain("x");
      await store.collect({ unusedFor: 0 });
    }
    expect(await treeOf(project)).toEqual(["0644 0:0 base", "0644 0:0 f"]);
    await using store = await openStore({ root: project.store });
    store.refs.delete("docker.io/library/x:latest");
    const collected = await store.collect({ unusedFor: 0, dangling: true });
    expect(collected.snapshots).toBe(3);
    expect(countDirectories(project)).toBe(0);
  });

  it("is stacked by builds side by side, each over its own base", async () => {
    using project = new Project({ "f.txt": "f", one: "1", two: "2" });
    const names = ["one", "two"];
    for (const name of names) {
      project.write(`${name}.Dockerfile`, `FROM scratch\nCOPY ${name} /base\nCOPY --link f.txt /f\n`);
    }
    const made = async (name: string, round: string): Promise<readonly string[]> => {
      const dest = join(project.store, "..", `${name}-${round}.tar`);
      const outcome = await project.build({
        dockerfile: join(project.directory, `${name}.Dockerfile`),
        tags: [name],
        outputs: [{ type: "image" }, { type: "docker", dest, tar: true }],
      });
      expect(outcome.error).toBeUndefined();
      return [String(outcome.result?.imageID), String(cachedAll(outcome))];
    };
    const first = await Promise.all(names.map(async (name) => await made(name, "1")));
    const second = await Promise.all(names.map(async (name) => await made(name, "2")));
    expect(second).toEqual(first.map(([id]) => [id, "true"]));
    // Two bases and the layer; what was made twice is gone.
    expect(countDirectories(project)).toBe(3);
  });

  it("makes one digest of two cold builds", async () => {
    using project = new Project({ "f.txt": "f", Dockerfile: "FROM scratch\nCOPY f.txt /g\nCOPY --link f.txt /a/f\n" });
    const cold = { noCache: true, sourceDateEpoch: 1_700_000_000 } as const;
    const [first, second] = [await project.build(cold), await project.build(cold)];
    expect(second.result?.manifestDigest).toBe(first.result?.manifestDigest);
    expect(first.result?.manifestDigest).toBeDefined();
  });

  it("keeps a store that an earlier version made, whose steps run once more", async () => {
    using project = new Project({ "f.txt": "f", Dockerfile: "FROM scratch\nCOPY f.txt /f\n" });
    await project.build();
    const { DatabaseSync } = await import("node:sqlite");
    const db = new DatabaseSync(join(project.store, "store.db"));
    db.exec("ALTER TABLE snapshots DROP COLUMN layer; PRAGMA user_version = 1");
    db.close();
    expect(cachedAll(await project.build())).toBe(false);
    expect(cachedAll(await project.build())).toBe(true);
    project.write("Dockerfile", "FROM scratch\nCOPY f.txt /f\nCOPY --link f.txt /g\n");
    expect((await project.build()).result?.steps).toEqual({ total: 2, cached: 1 });
  });
});
