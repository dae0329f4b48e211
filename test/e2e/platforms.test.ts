import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hostPlatform } from "../../store/oci/platform.ts";
import { tsbuild } from "../rig/command.ts";
import { Layout, plainLayer, platform, type OddDescriptor } from "../rig/layout.ts";
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

/** An image with a program of a machine that is not this one: busybox with another machine in its head. */
function foreign(layout: Layout, architecture: string): OddDescriptor {
  const program = readFileSync("/bin/busybox");
  program.writeUInt16LE(258, 18);
  const layer = plainLayer({ "bin/echo": program.toString("latin1"), "bin/hello": "" }, "latin1", 0o755);
  return {
    ...layout.image([layer], { architecture, config: { Cmd: ["/bin/echo", "hello"] } }),
    ...platform(`linux/${architecture}`),
  };
}

describe("run --platform", () => {
  it("fetches the other platform of a name that the store has for this one", async () => {
    await using registry = await TestRegistry.start();
    using project = new Project({});
    const layout = new Layout(join(project.directory, "layout"));
    const own = layout.image([], { architecture: hostPlatform().architecture });
    const image = `${registry.host}/app:1`;
    layout.publish(registry, "app", "1", own);
    expect((await tsbuild(project, ["pull", "-q", image])).code).toBe(0);
    layout.publish(
      registry,
      "app",
      "1",
      layout.index([{ ...own, ...platform(`linux/${hostPlatform().architecture}`) }, foreign(layout, "loong64")]),
    );
    const ran = await tsbuild(project, ["run", "-q", "--platform", "linux/loong64", image]);
    expect([ran.code, ran.stdout]).toEqual([126, ""]);
    expect(ran.stderr).toContain("error[E_EXEC_DENIED]");
    expect(ran.stderr).toContain(
      `help: it is a program for loong64, and this machine is ${hostPlatform().architecture}`,
    );
    // Without the registry as well, now that it is there.
    await registry[Symbol.asyncDispose]();
    expect((await tsbuild(project, ["run", "-q", "--platform", "linux/loong64", image])).code).toBe(126);
  });

  it("says what a name without that platform is for", async () => {
    await using registry = await TestRegistry.start();
    using project = new Project({});
    const layout = new Layout(join(project.directory, "layout"));
    const image = `${registry.host}/app:1`;
    layout.publish(registry, "app", "1", foreign(layout, "loong64"));
    await tsbuild(project, ["pull", "-q", image]);
    const failed = await tsbuild(project, ["run", "-q", "--platform", "linux/s390x", image]);
    expect(failed.code).toBe(125);
    expect(failed.stderr).toContain(`Cannot use ${image} for linux/s390x: it is for linux/loong64\n`);
    // Another machine's image that was asked for by name is run if the machine can.
    expect((await tsbuild(project, ["run", "-q", image])).stderr).toContain("it is a program for loong64");
  });
});

it("a RUN of a program for another machine names that", async () => {
  using project = new Project({ Dockerfile: 'FROM scratch\nCOPY --chmod=755 odd /odd\nRUN ["/odd"]\n' });
  const program = readFileSync("/bin/busybox");
  program.writeUInt16LE(258, 18);
  writeFileSync(join(project.directory, "odd"), program);
  const failed = await tsbuild(project, ["-q", "."]);
  expect(failed.stderr).toContain("help: it is a program for loong64");
});
