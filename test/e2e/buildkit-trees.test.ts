import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { build } from "../../builder/index.ts";
import { openStore, saveImages } from "../../store/index.ts";
import { readDockerArchive } from "../peers/compare.ts";
import { buildBases } from "../rig/bases.ts";
import { prepareTreeCase, treeCases, treeOver, type Tree } from "../rig/tree-case.ts";

const recorded: Readonly<Record<string, Tree>> = JSON.parse(
  readFileSync(join(import.meta.dirname, "../fixtures/buildkit-trees.json"), "utf8"),
);

/** Their steps write what they see into files: what a RUN gets is compared too. */
describe("the tree is the one that BuildKit 0.32 makes", () => {
  it.each(treeCases)("of %s", async (name) => {
    const directory = mkdtempSync(join(tmpdir(), "tsbuild-trees-"));
    try {
      const [root, context, archive, made] = ["store", "context", "base.tar", "made.tar"].map((part) =>
        join(directory, part),
      );
      if (root === undefined || context === undefined || archive === undefined || made === undefined) return;
      await buildBases(root, ["busybox"]);
      {
        await using store = await openStore({ root });
        await saveImages(store, ["busybox:1"], { format: "docker", to: { file: archive } });
      }
      const secrets = Object.entries(prepareTreeCase(name, context)).map(([id, value]) => [id, () => value] as const);
      const outputs = [{ type: "docker", dest: made, tar: true }] as const;
      await build({ root, context, secrets: Object.fromEntries(secrets), outputs }).result;
      const tree = treeOver(await readDockerArchive(made), await readDockerArchive(archive));
      expect(tree).toEqual(recorded[name]);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
