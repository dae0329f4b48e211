import { describe, expect, it } from "vitest";
import { tsbuild } from "../rig/command.ts";
import { Project } from "../rig/project.ts";
import { TestRegistry } from "../rig/registry.ts";

/** Another architecture than any machine that runs these tests has. */
const other = "s390x";

async function pulled(project: Project, registry: TestRegistry): Promise<string> {
  registry.publishIndex("team/app", "latest", [other, "ppc64le"]);
  const image = `${registry.host}/team/app`;
  expect((await tsbuild(project, ["pull", "-q", "--platform", `linux/${other}`, image])).code).toBe(0);
  return image;
}

describe("an image of another platform than the machine's, pulled from an index", () => {
  it("is listed, shown, saved and pushed as every other", async () => {
    await using registry = await TestRegistry.start();
    using project = new Project({});
    const image = await pulled(project, registry);
    expect((await tsbuild(project, ["images", "--format", "{{.Repository}}"])).stdout).toBe(`${image}\n`);
    expect((await tsbuild(project, ["inspect", "-f", "{{.Architecture}}", image])).stdout).toBe(`${other}\n`);
    expect((await tsbuild(project, ["history", "-q", image])).code).toBe(0);
    expect((await tsbuild(project, ["save", "-o", "app.tar", image])).code).toBe(0);
    expect((await tsbuild(project, ["export", "-o", "root.tar", image])).code).toBe(0);
    expect((await tsbuild(project, ["push", "-q", image])).code).toBe(0);
  });

  it("has a branch in images --tree, as those that are not here", async () => {
    await using registry = await TestRegistry.start();
    using project = new Project({});
    const image = await pulled(project, registry);
    const { stdout } = await tsbuild(project, ["images", "--tree"]);
    const [head, name, first, second] = stdout.split("\n").map((line) => line.split(/ {2,}/));
    expect(head).toEqual(["IMAGE", "ID", "SIZE"]);
    expect(name).toEqual([`${image}:latest`, expect.stringMatching(/^[0-9a-f]{12}$/), "0B"]);
    expect(first).toEqual([`├─ linux/${other}`, expect.stringMatching(/^[0-9a-f]{12}$/), "0B"]);
    expect(second).toEqual(["└─ linux/ppc64le", "-", "-"]);
    expect((await tsbuild(project, ["images", "--tree", "nosuch"])).stdout).toBe("IMAGE   ID   SIZE\n");
    expect((await tsbuild(project, ["images", "--tree", "-q"])).code).toBe(2);
  });

  it("is the only one: what asks for another is told", async () => {
    await using registry = await TestRegistry.start();
    using project = new Project({});
    const image = await pulled(project, registry);
    for (const line of ["inspect", "history", "save -o x", "push -q", "export -o x"]) {
      const failed = await tsbuild(project, [...line.split(" "), "--platform", "linux/ppc64le", image]);
      expect(failed.code).toBe(1);
      expect(failed.stderr).toContain("error[E_PLATFORM_MISSING]");
      expect(failed.stderr).toContain(`the store has it for linux/${other}`);
      expect(failed.stderr).toContain("help: fetch the other one: tsbuild pull --platform linux/ppc64le");
    }
    await tsbuild(project, ["pull", "-q", "--platform", "linux/ppc64le", image]);
    const second = await tsbuild(project, ["inspect", "--platform", "linux/ppc64le", "--query", "Architecture", image]);
    expect(second.stdout).toBe('"ppc64le"\n');
    expect((await tsbuild(project, ["inspect", "--query", "Architecture", image])).stdout).toBe(`"${other}"\n`);
  });
});
