import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore, saveImages } from "../../../store/index.ts";
import { buildBases } from "../../rig/bases.ts";
import { prepareTreeCase, treeCases, treeOver, type Tree } from "../../rig/tree-case.ts";
import { readDockerArchive } from "../compare.ts";

/**
 * Records what BuildKit makes of cases of the corpus, in test/fixtures/buildkit-trees.json:
 * `node test/peers/buildkit/record-trees.ts BUILDCTL ADDRESS`, with the command and the address of a buildkitd that
 * runs as root. Both are built by `go build ./cmd/...` of BuildKit's module.
 */
const [buildctl = "buildctl", address = "unix:///run/buildkit/buildkitd.sock"] = process.argv.slice(2);
const output = join(import.meta.dirname, "../../fixtures/buildkit-trees.json");
const directory = mkdtempSync(join(tmpdir(), "tsbuild-trees-"));

/** The base as an archive for comparing and as a layout that BuildKit reads. */
async function saveBase(): Promise<{ readonly archive: string; readonly layout: string; readonly digest: string }> {
  const root = join(directory, "store");
  await buildBases(root, ["busybox"]);
  await using store = await openStore({ root });
  const [archive, tar, layout] = ["base.tar", "layout.tar", "layout"].map((name) => join(directory, name));
  if (archive === undefined || tar === undefined || layout === undefined) throw new RangeError();
  await saveImages(store, ["busybox:1"], { format: "docker", to: { file: archive } });
  await saveImages(store, ["busybox:1"], { format: "oci", to: { file: tar } });
  execFileSync("sh", ["-c", 'mkdir "$1" && tar -C "$1" -xf "$2"', "sh", layout, tar]);
  const index: { readonly manifests: readonly { readonly digest: string }[] } = JSON.parse(
    readFileSync(join(layout, "index.json"), "utf8"),
  );
  return { archive, layout, digest: index.manifests[0]?.digest ?? "" };
}

try {
  const { archive, layout, digest } = await saveBase();
  const base = await readDockerArchive(archive);
  const trees: Record<string, Tree> = {};
  for (const name of treeCases) {
    const context = join(directory, name);
    const made = `${context}.tar`;
    const secrets = Object.entries(prepareTreeCase(name, context)).flatMap(([id, value]) => {
      const file = join(directory, `secret-${id}`);
      writeFileSync(file, value);
      return ["--secret", `id=${id},src=${file}`];
    });
    const local = ["--local", `context=${context}`, "--local", `dockerfile=${context}`];
    const from = ["--oci-layout", `base=${layout}`, "--opt", `context:busybox:1=oci-layout://base@${digest}`];
    const to = ["--output", `type=docker,name=x,dest=${made}`];
    const flags = ["--no-cache", "--frontend", "dockerfile.v0", ...local, ...from, ...secrets, ...to];
    execFileSync(buildctl, ["--addr", address, "build", ...flags], { stdio: ["ignore", "ignore", "inherit"] });
    trees[name] = treeOver(await readDockerArchive(made), base);
  }
  const lines = Object.entries(trees).map(([name, tree]) => {
    const paths = Object.entries(tree).map(([path, facts]) => `${JSON.stringify(path)}: ${JSON.stringify(facts)}`);
    return `${JSON.stringify(name)}: {\n${paths.join(",\n")}\n}`;
  });
  writeFileSync(output, `{\n${lines.join(",\n")}\n}\n`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
