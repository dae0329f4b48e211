import { createReadStream, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { BuildOptions } from "../../builder/index.ts";
import { loadArchive, openStore, type Store } from "../../store/index.ts";
import { listTree } from "../rig/list-tree.ts";
import { Project, fromBusybox, type Outcome } from "../rig/project.ts";

const cachedAll = ({ result }: Outcome): boolean => result !== undefined && result.steps.cached === result.steps.total;

/** All that layers can do to what is below them. */
const changes = [
  "RUN mkdir -p /keep /gone /swap/dir /file && echo 1 > /keep/a && echo 1 > /gone/a && echo 1 > /swap/dir/x",
  "RUN echo 2 > /keep/b && rm -r /gone && rm -r /file && echo f > /file && chmod 700 /keep",
  "RUN rm -r /base/dir && mkdir /base/dir && echo new > /base/dir/only && rm /base/link && rm -r /base/other",
  "RUN rm -r /swap && echo file > /swap && mkdir /base/other && ln /file /hard && ln -s file /soft",
  "RUN rm /swap && mkdir -p /swap/dir && echo 5 > /swap/dir/y && rm /keep/a && chmod 4755 /file",
  "COPY --link f.txt /keep/linked",
];

/** A project with an image `base` in its store and a Dockerfile of the lines over it. */
async function projectOver(lines: readonly string[]): Promise<Project> {
  const project = new Project({ "f.txt": "f" });
  project.write(
    "Dockerfile",
    `${fromBusybox}RUN mkdir -p /base/dir /base/other/deep && echo o > /base/dir/old && ln -s dir /base/link\nRUN echo two > /base/two\n`,
  );
  const base = await project.build({ tags: ["base"] });
  expect(base.error).toBeUndefined();
  project.write("Dockerfile", `FROM base\nENV A=1\n${lines.join("\n")}\nCMD ["x"]\n`);
  return project;
}

async function treeOf(project: Project, options: Partial<BuildOptions>, name: string): Promise<readonly string[]> {
  const dest = join(project.store, "..", name);
  const outcome = await project.build({ ...options, outputs: [{ type: "local", dest }] });
  expect(outcome.error).toBeUndefined();
  return listTree(dest);
}

interface HistoryLine {
  readonly empty_layer?: boolean;
  readonly created_by: string;
}

async function historyOf(store: Store, name: string): Promise<readonly HistoryLine[]> {
  const target = store.refs.get(name)?.target;
  if (target === undefined) throw new Error("no image");
  const manifest: { config: Parameters<typeof store.content.read>[0] } = JSON.parse(
    String(await store.content.read(target)),
  );
  const config: { history: readonly HistoryLine[] } = JSON.parse(String(await store.content.read(manifest.config)));
  return config.history;
}

describe("--squash", () => {
  it.each(["new", "all"] as const)("=%s gives the same tree in one layer, also after it was saved", async (squash) => {
    using project = await projectOver(changes);
    const plain = await treeOf(project, {}, "plain");
    expect(await treeOf(project, { squash }, "squashed")).toEqual(plain);
    const archive = join(project.store, "..", "x.tar");
    const made = await project.build({
      squash,
      tags: ["app"],
      outputs: [{ type: "docker", dest: archive, tar: true }],
    });
    expect(made.result?.layers).toBe(squash === "new" ? 4 : 1);
    const other = join(project.store, "..", "other");
    {
      await using store = await openStore({ root: other });
      await loadArchive(store, createReadStream(archive));
    }
    project.write("Dockerfile", "FROM app\n");
    const dest = join(project.store, "..", "loaded");
    const loaded = await project.build({ root: other, outputs: [{ type: "local", dest }] });
    expect(loaded.error).toBeUndefined();
    expect(listTree(dest)).toEqual(plain);
  });

  it("comes from the cache the second time, and keeps the lines of history, all but one as empty", async () => {
    using project = await projectOver(changes);
    await project.build({ squash: "new", tags: ["app"] });
    const again = await project.build({ squash: "new", tags: ["app"] });
    expect(cachedAll(again)).toBe(true);
    await using store = await openStore({ root: project.store });
    const history = await historyOf(store, "docker.io/library/app:latest");
    const layers = history.filter((line) => line.empty_layer !== true);
    expect(layers).toHaveLength(again.result?.layers ?? 0);
    expect(layers.at(-1)?.created_by).toBe("COPY f.txt /keep/linked # buildkit");
    expect(history).toHaveLength(3 + 1 + changes.length + 1);
  });

  it("copies no file: the squashed layer has the inodes of the layers", async () => {
    using project = new Project({ "f.txt": "f", "g.txt": "g" });
    project.write("Dockerfile", "FROM scratch\nCOPY f.txt /f\nCOPY g.txt /g\n");
    await project.build({ squash: "new" });
    const snapshots = join(project.store, "snapshots");
    const inodes = readdirSync(snapshots).flatMap((id) => {
      return listTree(join(snapshots, id, "fs")).map((line) => {
        const path = line.split(" ").at(-1) ?? "";
        return `${path} ${lstatSync(join(snapshots, id, "fs", path)).ino}`;
      });
    });
    expect(inodes).toHaveLength(4);
    expect(new Set(inodes).size).toBe(2);
  });

  it("=stage keeps the layers that the stage stands on, of the base and of other stages", async () => {
    using project = await projectOver(changes);
    const lines = [
      "FROM base AS shared",
      "RUN echo s > /shared1",
      "RUN echo s > /shared2 && rm /base/two",
      "FROM shared",
      "ENV A=1",
      ...changes,
    ];
    project.write("Dockerfile", `${lines.join("\n")}\n`);
    const plain = await treeOf(project, {}, "plain");
    expect(await treeOf(project, { squash: "stage" }, "squashed")).toEqual(plain);
    const made = await project.build({ squash: "stage", tags: ["app"] });
    const shared = await project.build({ target: "shared" });
    expect([made.result?.layers, shared.result?.layers]).toEqual([6, 5]);
    expect((await project.build({ squash: "new" })).result?.layers).toBe(4);
    await using store = await openStore({ root: project.store });
    const history = await historyOf(store, "docker.io/library/app:latest");
    expect(history.filter((line) => line.empty_layer !== true)).toHaveLength(6);
    expect(history.filter((line) => line.created_by.includes("shared"))).toEqual(
      [1, 2].map(() => expect.not.objectContaining({ empty_layer: true })),
    );
    // Over an image it is as =new.
    project.write("Dockerfile", `FROM base\n${changes.join("\n")}\n`);
    const [stage, all] = [await project.build({ squash: "stage" }), await project.build({ squash: "new" })];
    expect(stage.result?.imageID).toBe(all.result?.imageID);
  });

  it("leaves one new layer as it is", async () => {
    using project = await projectOver(["RUN echo > /one"]);
    const plain = await project.build();
    expect((await project.build({ squash: "new" })).result?.imageID).toBe(plain.result?.imageID);
  });

  it("makes no layer where steps undo each other", async () => {
    using project = await projectOver(["RUN echo > /one", "RUN rm /one"]);
    const { result } = await project.build({ squash: "new" });
    expect(result?.layers).toBe(3);
  });

  it("squashes over scratch, and layers of a linked copy that is there twice", async () => {
    using project = new Project({ "f.txt": "f" });
    project.write(
      "Dockerfile",
      `${fromBusybox}COPY --link f.txt /d/f\nRUN rm /d/f && echo > /d/g\nCOPY --link f.txt /d/f\n`,
    );
    const plain = await treeOf(project, {}, "plain");
    expect(await treeOf(project, { squash: "new" }, "squashed")).toEqual(plain);
    expect((await project.build({ squash: "new" })).result?.layers).toBe(1);
  });

  it("leads two cold builds to one digest", async () => {
    using project = new Project({ "f.txt": "f" });
    project.write("Dockerfile", "FROM scratch\nCOPY f.txt /a/f\nCOPY f.txt /a/g\n");
    const cold = { noCache: true, sourceDateEpoch: 1_700_000_000, squash: "new" } as const;
    const [first, second] = [await project.build(cold), await project.build(cold)];
    expect(first.result?.layers).toBe(1);
    expect(second.result?.manifestDigest).toBe(first.result?.manifestDigest);
  });
});
