import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { hostPlatform } from "../../store/oci/platform.ts";
import { tsbuild, type Ended } from "../rig/command.ts";
import {
  digestOf,
  Layout,
  named,
  plainLayer,
  platform,
  types,
  type OddDescriptor,
  type OddLayer,
} from "../rig/layout.ts";
import { Project } from "../rig/project.ts";

const { architecture } = hostPlatform();
const host = `linux/${architecture}`;
const signature = "application/vnd.dev.cosign.artifact.sig.v1+json";

function layoutOf(project: Project): Layout {
  return new Layout(join(project.directory, "layout"));
}

function imageFor(
  layout: Layout,
  words: string,
  layers: readonly OddLayer[] = [plainLayer({ [words]: words })],
): OddDescriptor {
  return { ...layout.image(layers, { architecture: words.split("/")[1] }), ...platform(words) };
}

async function load(project: Project, layout: Layout): Promise<Ended> {
  layout.archive(join(project.directory, "a.tar"));
  return await tsbuild(project, ["load", "-i", "a.tar"]);
}

/** Nothing has a name, and nothing lies about for the next prune. */
async function expectNothing(project: Project): Promise<void> {
  expect((await tsbuild(project, ["images", "-q"])).stdout).toBe("");
  expect((await tsbuild(project, ["prune"])).stdout).toMatch(/^Removed 0 layers, 0 blobs /);
}

describe("load of an index", () => {
  it("with an artifact names the image once, and every command takes it", async () => {
    using project = new Project({});
    const layout = layoutOf(project);
    layout.top([
      named(
        layout.index([imageFor(layout, host), layout.artifact(signature), imageFor(layout, "linux/s390x")]),
        "app:1",
      ),
    ]);
    expect(await load(project, layout)).toMatchObject({ code: 0, stdout: "Loaded image: app:1\n", stderr: "" });
    expect((await tsbuild(project, ["images", "--format", "{{.Repository}}:{{.Tag}}"])).stdout).toBe("app:1\n");
    for (const line of [
      "inspect app:1",
      "history app:1",
      "save -o s.tar app:1",
      "tag app:1 b:1",
      "rmi b:1",
      "prune",
      "images --tree",
    ])
      expect([line, (await tsbuild(project, line.split(" "))).code]).toEqual([line, 0]);
    expect(
      (await tsbuild(project, ["inspect", "app:1", "--platform", "linux/s390x", "-f", "{{.Architecture}}"])).stdout,
    ).toBe("s390x\n");
    expect((await tsbuild(project, ["images", "--tree"])).stdout.split("\n")).toHaveLength(5);
  });

  it.each([
    ["manifest", (layout: Layout, other: OddDescriptor) => layout.remove(other)],
    ["config", (layout: Layout, other: OddDescriptor) => layout.remove(partsOf(layout, other).config)],
    [
      "layer",
      (layout: Layout, other: OddDescriptor) => partsOf(layout, other).layers.forEach((one) => layout.remove(one)),
    ],
  ])("takes what is there when the %s of another platform is absent", async (_, remove) => {
    using project = new Project({});
    const layout = layoutOf(project);
    const other = imageFor(layout, "linux/s390x");
    layout.top([named(layout.index([other, imageFor(layout, host)]), "part:1")]);
    remove(layout, other);
    expect(await load(project, layout)).toMatchObject({ code: 0, stdout: "Loaded image: part:1\n" });
    expect((await tsbuild(project, ["images", "--tree"])).stdout).toMatch(/linux\/s390x +- +-/);
    expect((await tsbuild(project, ["export", "-o", "root.tar", "part:1"])).code).toBe(0);
    expect((await tsbuild(project, ["prune"])).stdout).toMatch(/ 0 blobs /);
  });

  it("inside an index takes its platforms", async () => {
    using project = new Project({});
    const layout = layoutOf(project);
    layout.top([named(layout.index([layout.index([imageFor(layout, host)]), layout.index(null)]), "deep:1")]);
    expect(await load(project, layout)).toMatchObject({ code: 0, stdout: "Loaded image: deep:1\n" });
    expect((await tsbuild(project, ["inspect", "deep:1", "-f", "{{.Architecture}}"])).stdout).toBe(`${architecture}\n`);
    expect((await tsbuild(project, ["prune"])).stdout).toMatch(/ 0 blobs /);
  });

  it("under several names tells each, and a signature beside it stops nothing", async () => {
    using project = new Project({});
    const layout = layoutOf(project);
    const image = imageFor(layout, host);
    layout.top([
      named(image, "a:1"),
      named(image, "b:1"),
      named(image, "a:1"),
      layout.artifact(signature, { subject: image }),
    ]);
    expect((await load(project, layout)).stdout).toBe("Loaded image: a:1\nLoaded image: b:1\n");
  });
});

describe("load keeps nothing of", () => {
  it.each<[string, string, (layout: Layout) => unknown]>([
    [
      "an index none of whose platforms is there",
      "E_ARCHIVE_INVALID",
      (layout) => {
        const gone = imageFor(layout, host);
        const index = layout.index([gone]);
        layout.remove(gone);
        return [named(index, "a:1")];
      },
    ],
    ["an artifact alone", "E_NOT_AN_IMAGE", (layout) => [named(layout.artifact(signature), "a:1")]],
    ["a layout without images", "E_ARCHIVE_INVALID", () => []],
    ["a layout of null", "E_ARCHIVE_INVALID", () => null],
    [
      "a plain layer that its config does not name",
      "E_LAYER_DIGEST_MISMATCH",
      (layout) => [named(imageFor(layout, host, [wrong(types.tar)]), "a:1")],
    ],
    [
      "a compressed one",
      "E_LAYER_DIGEST_MISMATCH",
      (layout) => [named(imageFor(layout, host, [wrong(types.gzip)]), "a:1")],
    ],
    [
      "a good image beside a damaged one",
      "E_LAYER_DIGEST_MISMATCH",
      (layout) => [named(imageFor(layout, host), "good:1"), named(imageFor(layout, host, [wrong(types.gzip)]), "a:1")],
    ],
    [
      "an image with fewer layers than it says",
      "E_LAYER_DIGEST_MISMATCH",
      (layout) => [named(layout.image([plainLayer({})], { rootfs: { diff_ids: [] } }), "a:1")],
    ],
    [
      "a part of another size",
      "E_ARCHIVE_INVALID",
      (layout) => {
        const config = layout.blob({ os: "linux", architecture, rootfs: {} }, types.config);
        return [named(layout.image([], {}, { config: { ...config, size: 3 } }), "a:1")];
      },
    ],
    [
      "a name that is none",
      "E_ARCHIVE_INVALID",
      (layout) => [named(imageFor(layout, host), "good:1"), named(imageFor(layout, host), "Bad Name")],
    ],
  ])("%s", async (_, code, make) => {
    using project = new Project({});
    const layout = layoutOf(project);
    layout.top(make(layout));
    const failed = await load(project, layout);
    expect(failed).toMatchObject({ code: 1, stdout: "" });
    expect(failed.stderr).toContain(`error[${code}]`);
    await expectNothing(project);
  });

  it.each([["[]"], ["null"], ['[{"Config":"c.json","Layers":null}]']])("a docker archive with %s", async (list) => {
    using project = new Project({ "manifest.json": list });
    execFileSync("tar", ["-C", project.directory, "-cf", join(project.directory, "a.tar"), "manifest.json"]);
    const failed = await tsbuild(project, ["load", "-i", "a.tar"]);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain("error[E_ARCHIVE_INVALID]");
    await expectNothing(project);
  });

  const deep = `{"schemaVersion":2,"manifests":${"[".repeat(1 << 20)}`;
  it.each<[string, string, (directory: string) => void]>([
    [
      "an index that is a link to the host",
      "E_ARCHIVE_INVALID",
      (at) => symlinkSync("/etc/passwd", join(at, "index.json")),
    ],
    ["an index that is a pipe", "E_ARCHIVE_INVALID", (at) => void execFileSync("mkfifo", [join(at, "index.json")])],
    ["an index of brackets alone", "E_MANIFEST_INVALID", (at) => writeFileSync(join(at, "index.json"), deep)],
    [
      "a docker archive that names a file of the host",
      "E_ARCHIVE_INVALID",
      (at) => writeFileSync(join(at, "manifest.json"), '[{"Config":"../../../../../../etc/passwd","Layers":[]}]'),
    ],
  ])("%s", async (_, code, make) => {
    using project = new Project({ "oci-layout": '{"imageLayoutVersion":"1.0.0"}' });
    make(project.directory);
    execFileSync("tar", ["-cf", "../a.tar", "."], { cwd: project.directory });
    const failed = await tsbuild(project, ["load", "-i", "../a.tar"]);
    expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining(`error[${code}]`)]);
    await expectNothing(project);
  });

  it("no input at all", async () => {
    using project = new Project({});
    const failed = await tsbuild(project, ["load"], "");
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain("error[E_ARCHIVE_INVALID]");
  });
});

describe("load of a docker archive", () => {
  it("follows the links between layers, and takes the later of two files with one name", async () => {
    using project = new Project({});
    const { tar } = plainLayer({ f: "1" });
    const config = { architecture, os: "linux", rootfs: { diff_ids: [digestOf(tar), digestOf(tar)] } };
    project.write("x/a/layer.tar", "");
    writeFileSync(join(project.directory, "x/a/layer.tar"), tar);
    project.write("x/b/none", "");
    project.write("x/c/none", "");
    symlinkSync("../a/layer.tar", join(project.directory, "x/b/layer.tar"));
    symlinkSync("../b/layer.tar", join(project.directory, "x/c/layer.tar"));
    project.write("x/c.json", JSON.stringify(config));
    const item = { Config: "c.json", RepoTags: ["linked:1", "linked:2"], Layers: ["a/layer.tar", "c/layer.tar"] };
    project.write("x/manifest.json", "[]");
    const at = join(project.directory, "x");
    execFileSync("tar", ["-C", at, "-cf", "a.tar", "./c", "./b", "./a", "c.json", "manifest.json"], { cwd: at });
    project.write("x/manifest.json", JSON.stringify([item]));
    execFileSync("tar", ["-C", at, "-rf", "a.tar", "manifest.json"], { cwd: at });
    const loaded = await tsbuild(project, ["load", "-i", "x/a.tar"]);
    expect(loaded).toMatchObject({ code: 0, stdout: "Loaded image: linked:1\nLoaded image: linked:2\n" });
    expect((await tsbuild(project, ["export", "-o", "root.tar", "linked:2"])).code).toBe(0);
  });

  it("that is an OCI layout too keeps the index, and the names of either", async () => {
    using project = new Project({});
    const layout = layoutOf(project);
    const own = imageFor(layout, host);
    const index = layout.index([own, imageFor(layout, "linux/s390x")]);
    const { config, layers } = partsOf(layout, own);
    const at = ({ digest }: { digest: string }): string => `blobs/${digest.replace(":", "/")}`;
    const item = { Config: at(config), RepoTags: ["both:1"], Layers: layers.map(at) };
    writeFileSync(join(layout.directory, "manifest.json"), JSON.stringify([item]));
    layout.top([index]);
    expect(await load(project, layout)).toMatchObject({ code: 0, stdout: "Loaded image: both:1\n" });
    const { stdout } = await tsbuild(project, ["inspect", "both:1", "-f", "{{index .RepoDigests 0}}"]);
    expect(stdout).toBe(`both@${index.digest}\n`);
  });

  it("of a Docker that is too old says so", async () => {
    using project = new Project({ repositories: "{}" });
    execFileSync("tar", ["-C", project.directory, "-cf", join(project.directory, "a.tar"), "repositories"]);
    expect((await tsbuild(project, ["load", "-i", "a.tar"])).stderr).toContain("Docker before 1.10");
  });
});

describe("load of an archive compressed by", () => {
  const programs = { gzip: gzipSync, zstd: zstdCompressSync, xz: program("xz"), bzip2: program("bzip2") };

  it.each(Object.entries(programs))("%s takes a file and standard input", async (_, compress) => {
    using project = new Project({ Dockerfile: "FROM scratch\nCOPY Dockerfile /\n" });
    await tsbuild(project, ["-q", "-o", "type=docker,dest=a.tar,name=a:1", "."]);
    const file = join(project.directory, "a.tar");
    const bytes = compress(readFileSync(file));
    writeFileSync(`${file}.packed`, bytes);
    expect(await tsbuild(project, ["load", "-i", "a.tar.packed"])).toMatchObject({
      code: 0,
      stdout: "Loaded image: a:1\n",
    });
    const cut = join(project.directory, "cut");
    writeFileSync(cut, bytes.subarray(0, bytes.length / 2));
    const failed = await tsbuild(project, ["load", "-q", "-i", "cut"]);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toMatch(/error\[E_(?:COMPRESSION|ARCHIVE_INVALID)\]/);
  });

  it("nothing comes by a stream as well", async () => {
    using project = new Project({ Dockerfile: "FROM scratch\nCOPY Dockerfile /\n" });
    await tsbuild(project, ["-q", "-o", "type=docker,dest=a.tar,name=a:1", "."]);
    const shell = (line: string): string =>
      execFileSync("sh", ["-c", line, join(process.cwd(), "builder/cli/tsbuild")], {
        cwd: project.directory,
        env: { ...process.env, TSBUILD_ROOT: project.store },
      }).toString();
    for (const pack of ["cat", "xz -c", "bzip2 -c"])
      expect(shell(`${pack} < a.tar | "$0" load`)).toBe("Loaded image: a:1\n");
  });
});

describe("load that is killed in the middle of its archive", () => {
  it("leaves nothing that the next command does not sweep", async () => {
    using project = new Project({});
    const layout = layoutOf(project);
    layout.top([named(imageFor(layout, host), "app:1")]);
    const file = join(project.directory, "a.tar");
    layout.archive(file);
    const child = spawn(resolve("builder/cli/tsbuild"), ["load"], {
      env: { ...process.env, TSBUILD_ROOT: project.store },
      stdio: ["pipe", "ignore", "ignore"],
    });
    const ended = once(child, "exit");
    // Without its end it is waited for.
    child.stdin.write(readFileSync(file).subarray(0, -2048));
    const staged = (): readonly string[] =>
      !existsSync(project.store)
        ? []
        : readdirSync(project.store, { recursive: true, encoding: "utf8" }).filter((path) =>
            /\/staged\/\d+$/.test(path),
          );
    await expect.poll(() => staged().length, { timeout: 30_000, interval: 10 }).toBeGreaterThan(2);
    child.kill("SIGKILL");
    await ended;
    await expectNothing(project);
    expect(staged()).toEqual([]);
  });
});

function program(name: string): (bytes: Uint8Array) => Buffer {
  return (bytes) => execFileSync(name, ["-c"], { input: bytes, maxBuffer: 1 << 26 });
}

/** A layer whose blob unpacks to something else than its config says. */
function wrong(mediaType: string): OddLayer {
  const { tar } = plainLayer({ f: "1" });
  return { blob: mediaType === types.gzip ? gzipSync(tar) : tar, mediaType, tar: Buffer.from("another") };
}

function partsOf(
  layout: Layout,
  image: OddDescriptor,
): { readonly config: OddDescriptor; readonly layers: readonly OddDescriptor[] } {
  return JSON.parse(layout.read(image).toString());
}
