import { closeSync, globSync, openSync, readFileSync, rmSync, truncateSync, writeSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { tsbuild } from "../rig/command.ts";
import { fromBusybox, Project } from "../rig/project.ts";
import { TestRegistry } from "../rig/registry.ts";

interface Pulled {
  readonly project: Project;
  readonly image: string;
  /** Files of its documents and of its largest layer. */
  readonly files: Readonly<Record<"manifest" | "config" | "layer", string>>;
}

/** A store that an image was pulled into. */
async function pulled(registry: TestRegistry): Promise<Pulled> {
  const project = new Project({ Dockerfile: `${fromBusybox}CMD ["cat", "/etc/group"]\n` });
  const image = `${registry.host}/app:1`;
  await tsbuild(project, ["-q", "-t", image, "--push", "."]);
  await tsbuild(project, ["rmi", "-f", image]);
  await tsbuild(project, ["prune", "--all"]);
  expect((await tsbuild(project, ["pull", "-q", image])).code).toBe(0);
  const blob = (digest = ""): string => join(project.store, "blobs", digest.trim().replace(":", "/"));
  const show = async (field: string): Promise<string> =>
    (await tsbuild(project, ["inspect", "-f", `{{${field}}}`, image])).stdout;
  const manifest = blob(await show(".Descriptor.digest"));
  const { layers }: { layers: readonly { digest: string }[] } = JSON.parse(readFileSync(manifest, "utf8"));
  return { project, image, files: { manifest, config: blob(await show(".Id")), layer: blob(layers[0]?.digest) } };
}

/** One byte is another, or nothing is left, as after the power failed. */
function damage(file: string, how: "byte" | "empty"): void {
  if (how === "empty") return truncateSync(file, 0);
  const fd = openSync(file, "r+");
  writeSync(fd, Buffer.from([0xff]), 0, 1, 40);
  closeSync(fd);
}

describe.each(["byte", "empty"] as const)("a store with a damaged document (%s)", (how) => {
  it.each(["manifest", "config"] as const)("whose %s it is works for all else, and takes it anew", async (which) => {
    await using registry = await TestRegistry.start();
    const { project, image, files } = await pulled(registry);
    using _ = project;
    project.write("Other", "FROM scratch\nCOPY Other /\n");
    await tsbuild(project, ["-q", "-t", "other", "-f", "Other", "."]);
    const list = ["images", "--format", "{{.Repository}}:{{.Tag}}"];
    const both = `other:latest\n${image}\n`;
    expect((await tsbuild(project, list)).stdout).toBe(both);
    damage(files[which], how);
    // Its name is still told: who does not see it cannot remove it.
    expect(await tsbuild(project, list)).toMatchObject({ code: 0, stdout: both, stderr: "" });
    const shown = await tsbuild(project, ["history", image]);
    expect(shown.stderr).toContain(`Cannot use the image ${image}: documents of it are missing in the store`);
    expect(shown.stderr).toContain(`help: bring it back: tsbuild pull ${image}`);
    expect((await tsbuild(project, ["prune"])).code).toBe(0);
    expect((await tsbuild(project, ["pull", "-q", image])).code).toBe(0);
    damage(files[which], how);
    expect((await tsbuild(project, ["pull", "-q", image])).code).toBe(0); // nobody had noticed before
    damage(files[which], how);
    expect((await tsbuild(project, ["run", "-q", image])).stdout).toContain("root:x:0:");
    expect((await tsbuild(project, list)).stdout).toBe(both);
    damage(files[which], how);
    expect((await tsbuild(project, ["rmi", image])).stdout).toBe(`Untagged: ${image}\n`);
    expect((await tsbuild(project, list)).stdout).toBe("other:latest\n");
  });
});

describe("a store with a damaged layer", () => {
  it.each(["byte", "empty"] as const)("(%s) says so, and fetches it the next time", async (how) => {
    await using registry = await TestRegistry.start();
    const { project, image, files } = await pulled(registry);
    using _ = project;
    await tsbuild(project, ["save", "-o", "app.tar", "--format", "oci", image]);
    await tsbuild(project, ["rmi", image]);
    await tsbuild(project, ["prune", "--all"]);
    await tsbuild(project, ["load", "-q", "-i", "app.tar"]); // which does not unpack it
    damage(files.layer, how);
    const first = await tsbuild(project, ["run", image]);
    const told = first.code === 0 ? "" : first.stderr;
    expect(told).toMatch(how === "empty" ? /^$/ : /E_CONTENT_NOT_FOUND.*its file in the store was damaged\n {2}help: /);
    expect((await tsbuild(project, ["run", "-q", image])).stdout).toContain("root:x:0:");
  });
});

describe("a store in which somebody removed directories of layers", () => {
  it("runs those steps again, and fetches those of images", async () => {
    await using registry = await TestRegistry.start();
    const { project, image } = await pulled(registry);
    using _ = project;
    project.write("Dockerfile", `FROM ${image}\nRUN echo one > /one\nRUN cat /one > /two\n`);
    expect((await tsbuild(project, ["-q", "-t", "app", "."])).code).toBe(0);
    const snapshots = join(project.store, "snapshots");
    const holding = (file: string): string => globSync(join(snapshots, "*/fs", file))[0]?.split("/fs/")[0] ?? "";
    for (const file of ["one", "bin/busybox"]) {
      rmSync(holding(file), { recursive: true });
      const again = await tsbuild(project, ["-t", "app", "."]);
      expect(again.code).toBe(0);
      expect(again.stderr).toContain("its result is no longer in the store");
      expect((await tsbuild(project, ["run", "app", "cat", "/two"])).stdout).toBe("one\n");
      expect((await tsbuild(project, ["-t", "app", "."])).stderr).toContain("cache: 2/2 hits");
    }
    rmSync(snapshots, { recursive: true });
    expect(await tsbuild(project, ["run", "-q", "app", "true"])).toMatchObject({ code: 125 });
    expect((await tsbuild(project, ["-q", "-t", "app", "."])).code).toBe(0);
    expect((await tsbuild(project, ["run", "app", "cat", "/two"])).stdout).toBe("one\n");
  });
});
