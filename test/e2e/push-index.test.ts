import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hostPlatform } from "../../store/oci/platform.ts";
import { tsbuild, type Ended } from "../rig/command.ts";
import { Layout, named, plainLayer, platform, type OddDescriptor } from "../rig/layout.ts";
import { Project } from "../rig/project.ts";
import { TestRegistry } from "../rig/registry.ts";

const { architecture } = hostPlatform();
const host = `linux/${architecture}`;
const signature = "application/vnd.dev.cosign.artifact.sig.v1+json";

function imageFor(layout: Layout, words: string): OddDescriptor {
  const layers = [plainLayer({ [words]: words })];
  return { ...layout.image(layers, { architecture: words.split("/")[1] }), ...platform(words) };
}

/** Two platforms, an attestation, a signature, and an index inside the index. */
function wholeIndex(layout: Layout): OddDescriptor {
  const own = imageFor(layout, host);
  const attestation = {
    ...layout.image([], { architecture: "unknown", os: "unknown" }),
    ...platform("unknown/unknown"),
  };
  return layout.index([own, layout.index([imageFor(layout, "linux/s390x")]), attestation, layout.artifact(signature)]);
}

async function loaded(project: Project, layout: Layout, target: OddDescriptor, name: string): Promise<void> {
  layout.top([named(target, name)]);
  layout.archive(join(project.directory, "a.tar"));
  expect((await tsbuild(project, ["load", "-q", "-i", "a.tar"])).stderr).toBe("");
}

const layoutOf = (project: Project): Layout => new Layout(join(project.directory, "layout"));
const pushed = async (project: Project, words: readonly string[]): Promise<Ended> =>
  await tsbuild(project, ["push", "-q", ...words]);

describe("push of an image of several platforms", () => {
  it("sends the index that was loaded, byte for byte, with all that it leads to", async () => {
    await using registry = await TestRegistry.start();
    using project = new Project({});
    const layout = layoutOf(project);
    const index = wholeIndex(layout);
    const image = `${registry.host}/team/app:1`;
    await loaded(project, layout, index, image);
    expect(await pushed(project, [image])).toMatchObject({ code: 0, stdout: `${index.digest}\n`, stderr: "" });
    expect(registry.get("team/app", "1")?.bytes).toEqual(layout.read(index));
    // Its tag alone is new: a reader saw all of it or nothing.
    expect(registry.requests.findLast((one) => one.startsWith("PUT"))).toBe("PUT /v2/team/app/manifests/1");
    using other = new Project({});
    expect((await tsbuild(other, ["pull", "-q", "--platform", "linux/s390x", image])).code).toBe(0);
  });

  it("sends what --all-platforms pulled, to another registry", async () => {
    await using from = await TestRegistry.start();
    await using to = await TestRegistry.start();
    using project = new Project({});
    const layout = layoutOf(project);
    const index = wholeIndex(layout);
    layout.publish(from, "app", "1", index);
    expect(await tsbuild(project, ["pull", "-q", "--all-platforms", `${from.host}/app:1`])).toMatchObject({
      code: 0,
      stderr: "",
    });
    await tsbuild(project, ["tag", `${from.host}/app:1`, `${to.host}/copy:2`]);
    expect(await pushed(project, [`${to.host}/copy:2`])).toMatchObject({ code: 0, stdout: `${index.digest}\n` });
    expect(to.get("copy", "2")?.bytes).toEqual(layout.read(index));
    expect((await tsbuild(project, ["prune"])).stdout).toMatch(/ 0 blobs /);
  });

  it("names the platforms that are not here, and sends nothing", async () => {
    await using from = await TestRegistry.start();
    await using to = await TestRegistry.start();
    using project = new Project({});
    const layout = layoutOf(project);
    const own = imageFor(layout, host);
    layout.publish(from, "app", "1", layout.index([own, imageFor(layout, "linux/s390x")]));
    await tsbuild(project, ["pull", "-q", `${from.host}/app:1`]);
    await tsbuild(project, ["tag", `${from.host}/app:1`, `${to.host}/copy:2`]);
    const failed = await pushed(project, [`${to.host}/copy:2`]);
    expect(failed).toMatchObject({ code: 1, stdout: "" });
    expect(failed.stderr).toContain("error[E_PLATFORM_MISSING]");
    expect(failed.stderr).toContain("does not have linux/s390x\n");
    expect(failed.stderr).toContain(`tsbuild pull --all-platforms ${from.host}/app:1\n`);
    expect(failed.stderr).toContain(`tsbuild push --platform ${host} ${to.host}/copy:2\n`);
    expect(to.requests.filter((one) => /^(?:PUT|POST|PATCH)/.test(one))).toEqual([]);
    expect((await pushed(project, ["--platform", host, `${to.host}/copy:2`])).code).toBe(0);
    expect(to.get("copy", "2")?.bytes).toEqual(layout.read(own));
  });

  it("takes what the registry has for there: a tag is given to an index of which one platform was pulled", async () => {
    await using registry = await TestRegistry.start();
    using project = new Project({});
    const layout = layoutOf(project);
    const index = wholeIndex(layout);
    layout.publish(registry, "app", "1", index);
    await tsbuild(project, ["pull", "-q", `${registry.host}/app:1`]);
    await tsbuild(project, ["tag", `${registry.host}/app:1`, `${registry.host}/app:stable`]);
    expect(await pushed(project, [`${registry.host}/app:stable`])).toMatchObject({
      code: 0,
      stdout: `${index.digest}\n`,
    });
    expect(registry.get("app", "stable")?.bytes).toEqual(layout.read(index));
  });
});

describe("pull --all-platforms", () => {
  it("refuses layers that a config does not name, and gives no name", async () => {
    await using registry = await TestRegistry.start();
    using project = new Project({});
    const layout = layoutOf(project);
    const layer = { ...plainLayer({ f: "1" }), tar: Buffer.from("another") };
    const other = { ...layout.image([layer], { architecture: "s390x" }), ...platform("linux/s390x") };
    layout.publish(registry, "app", "1", layout.index([imageFor(layout, host), other]));
    const failed = await tsbuild(project, ["pull", "-q", "--all-platforms", `${registry.host}/app:1`]);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain("error[E_LAYER_DIGEST_MISMATCH]");
    expect((await tsbuild(project, ["images", "-q"])).stdout).toBe("");
  });

  it("does not go with --platform", async () => {
    using project = new Project({});
    expect((await tsbuild(project, ["pull", "--all-platforms", "--platform", host, "app"])).code).toBe(2);
  });
});

describe("save of an image of several platforms", () => {
  it.each(["oci", "docker"])("as %s has all that is here: loaded elsewhere it is the same index", async (format) => {
    await using registry = await TestRegistry.start();
    using project = new Project({});
    using other = new Project({});
    const layout = layoutOf(project);
    const index = wholeIndex(layout);
    await loaded(project, layout, index, `${registry.host}/app:1`);
    const file = join(other.directory, "s.tar");
    expect((await tsbuild(project, ["save", "--format", format, "-o", file, `${registry.host}/app:1`])).stderr).toBe(
      "",
    );
    expect((await tsbuild(other, ["load", "-i", "s.tar"])).stdout).toBe(`Loaded image: ${registry.host}/app:1\n`);
    expect(await pushed(other, [`${registry.host}/app:1`])).toMatchObject({ code: 0, stdout: `${index.digest}\n` });
  });

  it("has the platforms that are here of an index that lists more, and with --platform one alone", async () => {
    await using registry = await TestRegistry.start();
    using project = new Project({});
    const layout = layoutOf(project);
    layout.publish(registry, "app", "1", layout.index([imageFor(layout, host), imageFor(layout, "linux/s390x")]));
    const image = `${registry.host}/app:1`;
    await tsbuild(project, ["pull", "-q", image]);
    for (const words of [[], ["--platform", host]]) {
      using other = new Project({});
      const file = join(other.directory, "s.tar");
      expect((await tsbuild(project, ["save", ...words, "-o", file, image])).stderr).toBe("");
      expect(await tsbuild(other, ["load", "-q", "-i", "s.tar"])).toMatchObject({ code: 0, stdout: `${image}\n` });
      const { stdout } = await tsbuild(other, ["images", "--tree"]);
      expect(stdout.includes("linux/s390x")).toBe(words.length === 0);
      expect((await tsbuild(other, ["export", "-o", "root.tar", image])).code).toBe(0);
    }
  });
});
