import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { once } from "../../store/content/once.ts";
import { parseDigest } from "../../store/oci/digest.ts";
import { openStore } from "../../store/open.ts";
import { hostPlatform } from "../../store/oci/platform.ts";
import { tsbuild, type Ended } from "../rig/command.ts";
import { Layout, plainLayer, platform, types, type OddDescriptor, type OddLayer } from "../rig/layout.ts";
import { Project } from "../rig/project.ts";
import { TestRegistry } from "../rig/registry.ts";

const host = `linux/${hostPlatform().architecture}`;
const signature = "application/vnd.dev.cosign.artifact.sig.v1+json";
const chart = "application/vnd.cncf.helm.config.v1+json";

function layoutOf(project: Project): Layout {
  return new Layout(join(project.directory, "layout"));
}

/** An image of this machine with one file. */
function ownImage(layout: Layout, text: string = "1"): OddDescriptor {
  return {
    ...layout.image([plainLayer({ f: text })], { architecture: hostPlatform().architecture }),
    ...platform(host),
  };
}

function refName(name: string): object {
  return { annotations: { "org.opencontainers.image.ref.name": name } };
}

async function pull(project: Project, layout: Layout, target: OddDescriptor): Promise<Ended> {
  await using registry = await TestRegistry.start();
  layout.publish(registry, "app", "1", target);
  return await tsbuild(project, ["pull", "-q", `${registry.host}/app:1`]);
}

describe("pull", () => {
  it.each([
    ["after an artifact", (layout: Layout) => [layout.artifact(signature), ownImage(layout)]],
    [
      "beside artifacts that say no type",
      (layout: Layout) => {
        const { mediaType, digest, size } = layout.artifact(signature);
        return [
          { mediaType, digest, size },
          { ...ownImage(layout), platform: undefined },
        ];
      },
    ],
    [
      "beside an attestation",
      (layout: Layout) => [
        ownImage(layout),
        { ...layout.image([], { architecture: "unknown", os: "unknown" }), ...platform("unknown/unknown") },
      ],
    ],
    ["in an index inside the index", (layout: Layout) => [layout.index([layout.index([ownImage(layout)])])]],
    [
      "in the index of its platform",
      (layout: Layout) => [
        { ...layout.index([{ ...ownImage(layout), platform: undefined }]), ...platform(host) },
        { ...layout.index([layout.image([], { architecture: "s390x" })]), ...platform("linux/s390x") },
      ],
    ],
    [
      "that only its config says the platform of",
      (layout: Layout) => [layout.image([], { architecture: "s390x" }), { ...ownImage(layout), platform: null }],
    ],
  ])("finds the image %s", async (_, manifests) => {
    using project = new Project({});
    const layout = layoutOf(project);
    const pulled = await pull(project, layout, layout.index(manifests(layout)));
    expect(pulled).toMatchObject({ code: 0, stderr: "" });
    const shown = await tsbuild(project, [
      "inspect",
      "-f",
      "{{.Architecture}} {{len .RootFS.Layers}}",
      pulled.stdout.trim(),
    ]);
    expect(shown.stdout).toBe(`${hostPlatform().architecture} 1\n`);
  });

  it.each([
    ["an artifact", (layout: Layout) => layout.artifact(signature), signature, "oras pull"],
    [
      "a Helm chart",
      (layout: Layout) =>
        layout.artifact(chart, { artifactType: undefined, config: layout.blob({ name: "c" }, chart) }),
      chart,
      "helm pull oci://",
    ],
    ["an index of artifacts", (layout: Layout) => layout.index([layout.artifact(signature)]), signature, "oras pull"],
    [
      "a signature with an image's config",
      (layout: Layout) =>
        layout.image([{ ...plainLayer({}), mediaType: "application/vnd.dev.cosign.simplesigning.v1+json" }], {
          architecture: "",
          os: "",
        }),
      "simplesigning",
      "oras pull",
    ],
  ])("tells %s as what it is, and keeps nothing of it", async (_, make, type, hint) => {
    using project = new Project({});
    const layout = layoutOf(project);
    const failed = await pull(project, layout, make(layout));
    expect(failed).toMatchObject({ code: 1, stdout: "" });
    expect(failed.stderr).toContain("error[E_NOT_AN_IMAGE]");
    expect(failed.stderr).toContain(type);
    expect(failed.stderr).toContain(hint);
    expect((await tsbuild(project, ["prune"])).stdout).toMatch(/^Removed 0 layers, 0 blobs/);
  });

  it("names a manifest whose size is not what the index says", async () => {
    using project = new Project({});
    const layout = layoutOf(project);
    const failed = await pull(project, layout, layout.index([{ ...ownImage(layout), size: 7 }]));
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain("error[E_SIZE_MISMATCH]");
  });
});

describe("--build-context of an OCI layout", () => {
  it.each<[string, string, (layout: Layout) => unknown]>([
    ["an artifact beside the image", "", (layout) => [ownImage(layout), layout.artifact(signature)]],
    [
      "a platform each, without names",
      "",
      (layout) => [{ ...layout.image([], { architecture: "s390x" }), ...platform("linux/s390x") }, ownImage(layout)],
    ],
    [
      "a platform each under one name",
      ":v1",
      (layout) => [
        { ...layout.image([], { architecture: "s390x" }), ...platform("linux/s390x"), ...refName("v1") },
        { ...ownImage(layout), ...refName("v1") },
      ],
    ],
    ["an index inside the index", "", (layout) => [layout.index([layout.index([ownImage(layout)])])]],
    [
      "an index of which the other platform is absent",
      "",
      (layout) => {
        const other = {
          ...layout.image([plainLayer({ g: "" })], { architecture: "s390x" }),
          ...platform("linux/s390x"),
        };
        const index = layout.index([other, ownImage(layout)]);
        layout.remove(other);
        return [index];
      },
    ],
  ])("takes the image of %s", async (_, tag, top) => {
    using project = new Project({ Dockerfile: "FROM base\n" });
    const layout = layoutOf(project);
    layout.top(top(layout));
    const made = await tsbuild(project, ["-q", "--build-context", `base=oci-layout://layout${tag}`, "-o", "out", "."]);
    expect(made.stderr).toBe("");
    expect(readFileSync(join(project.directory, "out/f"), "utf8")).toBe("1");
  });

  it.each<[string, string, (layout: Layout) => unknown]>([
    ["has no image", "E_LAYOUT", () => null],
    ["has an artifact alone", "E_NOT_AN_IMAGE", (layout) => [layout.artifact(signature)]],
    [
      "lacks the documents",
      "E_LAYOUT",
      (layout) => {
        const gone = ownImage(layout);
        const index = layout.index([gone]);
        layout.remove(gone);
        return [index];
      },
    ],
  ])("that %s says so", async (_, code, top) => {
    using project = new Project({ Dockerfile: "FROM base\n" });
    const layout = layoutOf(project);
    layout.top(top(layout));
    const failed = await tsbuild(project, ["-q", "--build-context", "base=oci-layout://layout", "."]);
    expect(failed.stderr).toContain(`error[${code}]`);
  });
});

describe("an image that can never be used", () => {
  const wrong: OddLayer = { ...plainLayer({ f: "1" }), tar: Buffer.from("another") };

  it.each<[string, string, (layout: Layout) => OddDescriptor]>([
    [
      "a layer that its config does not name",
      "E_LAYER_DIGEST_MISMATCH",
      (layout) => layout.image([plainLayer({}), wrong]),
    ],
    ["a config without sense", "E_CONFIG_INVALID", (layout) => layout.image([], { architecture: 5 })],
    [
      "a layer that is no tar",
      "E_TAR_INVALID",
      (layout) => layout.image([{ ...wrong, blob: Buffer.alloc(512, 1), tar: Buffer.alloc(512, 1) }]),
    ],
  ])("with %s leaves no name, no blob and no layer, pulled or run", async (_, code, make) => {
    using project = new Project({});
    const layout = layoutOf(project);
    await using registry = await TestRegistry.start();
    layout.publish(registry, "app", "1", make(layout));
    const image = `${registry.host}/app:1`;
    for (const words of [
      ["pull", "-q"],
      ["pull", "-q", "--all-platforms"],
      ["run", "-q"],
    ]) {
      const failed = await tsbuild(project, [...words, image]);
      expect([failed.code === 0, failed.stdout]).toEqual([false, ""]);
      expect(failed.stderr).toMatch(words.includes("--all-platforms") ? /error\[E_/ : new RegExp(`error\\[${code}\\]`));
      expect((await tsbuild(project, ["images", "-q"])).stdout).toBe("");
      expect((await tsbuild(project, ["prune"])).stdout).toMatch(/^Removed 0 layers, 0 blobs/);
    }
  });
});

describe("pull of layers that are unpacked here already", () => {
  it("compares the blobs that come with what the config says of them", async () => {
    using project = new Project({});
    const layout = layoutOf(project);
    await using registry = await TestRegistry.start();
    const good = plainLayer({ f: "1" });
    const config = { architecture: hostPlatform().architecture };
    layout.publish(registry, "good", "1", layout.image([good], config));
    layout.publish(
      registry,
      "other",
      "1",
      layout.image([{ ...good, mediaType: types.gzip, blob: gzipSync(good.tar) }], config),
    );
    layout.publish(registry, "evil", "1", layout.image([{ ...good, blob: plainLayer({ f: "2" }).tar }], config));
    expect((await tsbuild(project, ["pull", "-q", `${registry.host}/good:1`])).code).toBe(0);
    expect((await tsbuild(project, ["pull", "-q", `${registry.host}/other:1`])).code).toBe(0);
    const failed = await tsbuild(project, ["pull", "-q", `${registry.host}/evil:1`]);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain("error[E_LAYER_DIGEST_MISMATCH]");
    expect((await tsbuild(project, ["images", "--format", "{{.Repository}}"])).stdout).not.toContain("evil");
  });
});

describe("a registry that answers with schema 1", () => {
  it("is told as that, though its digest is not that of the bytes", async () => {
    await using registry = await TestRegistry.start();
    using project = new Project({});
    const bytes = Buffer.from('{"schemaVersion":1,"name":"app","tag":"1","fsLayers":[],"history":[]}');
    registry.put("app", "1", { type: "application/vnd.docker.distribution.manifest.v1+prettyjws", bytes });
    const failed = await tsbuild(project, ["pull", "-q", `${registry.host}/app:1`]);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain("Docker's schema 1");
  });
});

/** Points names to documents as a store may have them that another version filled. */
async function givenNames(
  project: Project,
  layout: Layout,
  targets: Readonly<Record<string, OddDescriptor>>,
): Promise<void> {
  await using store = await openStore({ root: project.store });
  for (const hex of readdirSync(join(layout.directory, "blobs/sha256"))) {
    const bytes = readFileSync(join(layout.directory, "blobs/sha256", hex));
    await store.content.put(once(bytes));
  }
  for (const [name, { mediaType, digest, size }] of Object.entries(targets))
    store.refs.set(`docker.io/library/${name}`, { mediaType, digest: parseDigest(digest), size });
}

describe("a store with names of what is no image", () => {
  it("lists them, shows why they cannot be used, and removes them; the others are as usable as ever", async () => {
    using project = new Project({});
    const layout = layoutOf(project);
    const [artifact, damaged] = [layout.artifact(signature), layout.blob({ schemaVersion: 2 }, "application/x")];
    const odd = layout.image([], { architecture: 5 });
    const empty = layout.index([]);
    await givenNames(project, layout, {
      "artifact:1": artifact,
      "damaged:1": damaged,
      "odd:1": odd,
      "empty:1": empty,
      "good:1": ownImage(layout),
    });
    const list = await tsbuild(project, ["images", "--format", "{{.Repository}} {{.Size}}"]);
    expect(list.stdout.split("\n").toSorted()).toEqual([
      "",
      "artifact 0B",
      "damaged 0B",
      "empty 0B",
      expect.stringMatching(/^good \d/),
      "odd 0B",
    ]);
    for (const [name, code] of [
      ["artifact:1", "E_NOT_AN_IMAGE"],
      ["damaged:1", "E_MANIFEST_INVALID"],
      ["odd:1", "E_CONFIG_INVALID"],
      ["empty:1", "E_IMAGE_NOT_FOUND"],
    ] as const) {
      for (const command of ["inspect", "history", "save -o x.tar", "tag", "run --pull never"]) {
        const words = [...command.split(" "), name, ...(command === "tag" ? ["b:1"] : [])];
        expect([command, (await tsbuild(project, words)).stderr]).toEqual([
          command,
          expect.stringContaining(`error[${code}]`),
        ]);
      }
    }
    for (const line of [
      "prune",
      "images --tree",
      "inspect good:1",
      "save -o x.tar good:1",
      "rmi artifact:1 damaged:1 empty:1",
    ])
      expect([line, (await tsbuild(project, line.split(" "))).code]).toEqual([line, 0]);
    expect((await tsbuild(project, ["rmi", odd.digest.slice(7, 19)])).stdout).toBe("Untagged: odd:1\n");
    expect((await tsbuild(project, ["images", "--format", "{{.Repository}}"])).stdout).toBe("good\n");
  });
});
