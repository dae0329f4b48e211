import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Project, fromBusybox } from "../rig/project.ts";
import { TsbuildError } from "../../native/errors.ts";

/** A project with a directory `other/` beside its context. */
function makeProject(dockerfile: string, other: Readonly<Record<string, string>> = { "x.txt": "other" }): Project {
  const project = new Project({ Dockerfile: dockerfile, "x.txt": "main" });
  for (const [name, text] of Object.entries(other)) {
    const file = join(project.store, "..", "other", name);
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, text);
  }
  return project;
}

const beside = (project: Project, name: string): string => join(project.store, "..", name);

/** The tree that a build writes, or the code of its error. */
async function treeOf(
  project: Project,
  contexts: Readonly<Record<string, string>>,
  target?: string,
): Promise<readonly string[] | string> {
  const dest = beside(project, "out");
  const { error } = await project.build({
    outputs: [{ type: "local", dest }],
    contexts,
    ...(target === undefined ? {} : { target }),
  });
  if (error !== undefined) return error instanceof TsbuildError ? error.code : String(error);
  return readdirSync(dest, { recursive: true, encoding: "utf8" }).map((path) => `/${path}`);
}

const names = (tree: readonly string[] | string): readonly string[] =>
  typeof tree === "string" ? [tree] : tree.filter((line) => !line.startsWith("/busybox"));

describe("a named context on standard input", () => {
  const archive = (directory: string): Buffer => execFileSync("tar", ["-C", directory, "-cz", "."]);
  async function* once(bytes: Buffer): AsyncGenerator<Uint8Array> {
    yield bytes;
  }

  it("is an archive, cached by what is read of it, and leaves nothing", async () => {
    using project = makeProject("FROM scratch\nCOPY --from=other x.txt /\nCOPY x.txt /main\n", {
      "x.txt": "1",
      y: "1",
    });
    const other = beside(project, "other");
    const dest = beside(project, "out");
    const options = { contexts: { other: "-" }, outputs: [{ type: "local", dest }] } as const;
    const made = await project.build({ ...options, stdin: once(archive(other)) });
    expect(made.error).toBeUndefined();
    expect(["x.txt", "main"].map((name) => readFileSync(join(dest, name), "utf8"))).toEqual(["1", "main"]);
    writeFileSync(join(other, "y"), "2");
    const again = await project.build({ ...options, stdin: once(archive(other)) });
    expect(again.result?.steps).toEqual({ total: 2, cached: 2 });
    expect(readdirSync(join(project.store, "leases"))).toEqual([]);
  });

  it("is refused when it is no archive, or something else is there too", async () => {
    using project = makeProject("FROM scratch\nCOPY --from=other x.txt /\n");
    const contexts = { other: "-" };
    const stdin = (): AsyncIterable<Uint8Array> => once(Buffer.from("FROM scratch\n"));
    for (const options of [{}, { dockerfile: "-" }, { context: "-" }, { contexts: { ...contexts, more: "-" } }]) {
      const { error } = await project.build({ contexts, stdin: stdin(), ...options });
      expect(error).toMatchObject({ code: "E_CONTEXT_STDIN" });
    }
  });
});

describe("a named context that is a directory", () => {
  it("is what COPY --from reads, with its own .dockerignore", async () => {
    using project = makeProject("FROM scratch\nCOPY --from=other / /\n", {
      "a.txt": "a",
      "b.log": "b",
      ".dockerignore": "*.log\n",
    });
    const tree = await treeOf(project, { other: beside(project, "other") });
    expect(JSON.stringify(tree)).toContain("a.txt");
    expect(JSON.stringify(tree)).not.toContain("b.log");
  });

  it("stands for an image of FROM, by whatever form of its name", async () => {
    for (const from of ["lib", "lib:latest", "docker.io/library/lib"]) {
      using project = makeProject(`FROM ${from}\nCOPY x.txt /y.txt\n`);
      const tree = JSON.stringify(names(await treeOf(project, { lib: beside(project, "other") })));
      expect(tree).toContain("/x.txt");
      expect(tree).toContain("/y.txt");
    }
  });

  it("stands for a whole stage, whose instructions are not run", async () => {
    using project = makeProject(`FROM scratch AS dep\nCOPY missing /\nFROM scratch\nCOPY --from=dep x.txt /\n`);
    expect(await treeOf(project, {})).toBe("E_COPY_NOT_FOUND");
    expect(JSON.stringify(await treeOf(project, { dep: beside(project, "other") }))).toContain("x.txt");
  });

  it("of the platform goes before the one for all", async () => {
    using project = makeProject("FROM scratch\nCOPY --from=other x.txt /\nCOPY --from=other p /\n", {});
    for (const [directory, file] of [
      ["all", "x.txt"],
      ["amd", "x.txt"],
      ["amd", "p"],
    ] as const) {
      mkdirSync(beside(project, directory), { recursive: true });
      writeFileSync(join(beside(project, directory), file), directory);
    }
    const contexts = { other: beside(project, "all"), "other::linux/amd64": beside(project, "amd") };
    const built = await project.build({ contexts, platform: "linux/amd64", outputs: [{ type: "cacheonly" }] });
    expect(built.error).toBeUndefined();
    const arm = await project.build({ contexts, platform: "linux/arm64", outputs: [{ type: "cacheonly" }] });
    expect(arm.error).toMatchObject({ code: "E_COPY_NOT_FOUND" });
  });

  it("is keyed by what is read of it", async () => {
    using project = makeProject("FROM scratch\nCOPY --from=other x.txt /\n");
    const contexts = { other: beside(project, "other") };
    const outputs = [{ type: "cacheonly" }] as const;
    await project.build({ contexts, outputs });
    writeFileSync(join(beside(project, "other"), "new.txt"), "new");
    expect((await project.build({ contexts, outputs })).result?.steps).toEqual({ total: 1, cached: 1 });
    writeFileSync(join(beside(project, "other"), "x.txt"), "changed");
    expect((await project.build({ contexts, outputs })).result?.steps).toEqual({ total: 1, cached: 0 });
  });

  it("has its layer in the image's history", async () => {
    using project = makeProject("FROM base\nCOPY x.txt /y.txt\n");
    const { result, error } = await project.build({ contexts: { base: beside(project, "other") }, tags: ["app"] });
    expect(error).toBeUndefined();
    expect(result?.imageID).toMatch(/^sha256:/);
  });
});

describe("a named context that is an image", () => {
  it("replaces the base, and scratch is one too", async () => {
    using project = makeProject("FROM missing.invalid/base AS b\nFROM b\nCOPY x.txt /\n");
    const contexts = { "missing.invalid/base": "docker-image://scratch" };
    expect(names(await treeOf(project, contexts))).toContain("/x.txt");
    await project.build({ contexts, tags: ["local/base:1"] });
    project.write("Dockerfile", "FROM other/base:2\nCOPY x.txt /second\n");
    const tree = names(await treeOf(project, { "other/base:2": "docker-image://local/base:1" }));
    expect(tree).toEqual(expect.arrayContaining(["/x.txt", "/second"]));
  });

  it("comes out of an OCI layout by tag, by digest or as the only one, and the store gets no name for it", async () => {
    using project = makeProject("FROM scratch\nCOPY x.txt /base\n");
    const layout = beside(project, "layout");
    const made = await project.build({ outputs: [{ type: "oci", dest: layout, tar: false, names: ["a:v1"] }] });
    expect(made.error).toBeUndefined();
    const index: unknown = JSON.parse(readFileSync(join(layout, "index.json"), "utf8"));
    const [digest = ""] = /sha256:[0-9a-f]{64}/.exec(JSON.stringify(index)) ?? [];
    for (const value of [layout, `${layout}:v1`, `${layout}@${digest}`]) {
      using second = makeProject("FROM base\nCOPY x.txt /top\n");
      const tree = names(await treeOf(second, { base: `oci-layout://${value}` }));
      expect(tree, value).toEqual(expect.arrayContaining(["/base", "/top"]));
    }
    expect(await treeOf(project, {})).not.toBe("E_LAYOUT");
    using third = makeProject("FROM base\n");
    expect(await treeOf(third, { base: `oci-layout://${layout}:v2` })).toBe("E_LAYOUT");
    expect(await treeOf(third, { base: `oci-layout://${layout}@sha256:${"0".repeat(64)}` })).toBe("E_LAYOUT");
  });

  it("is refused when its files are pipes, which would be waited for", async () => {
    using project = makeProject("FROM lib\n");
    const layout = beside(project, "layout");
    mkdirSync(join(layout, "blobs/sha256"), { recursive: true });
    expect(await treeOf(project, { lib: `oci-layout://${layout}` })).toBe("E_LAYOUT");
    execFileSync("mkfifo", [join(layout, "index.json")]);
    expect(await treeOf(project, { lib: `oci-layout://${layout}` })).toBe("E_LAYOUT");
    const digest = "a".repeat(64);
    execFileSync("mkfifo", [join(layout, "blobs/sha256", digest)]);
    rmSync(join(layout, "index.json"));
    const descriptor = { mediaType: "application/vnd.oci.image.manifest.v1+json", digest: `sha256:${digest}`, size: 9 };
    writeFileSync(join(layout, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [descriptor] }));
    expect(await treeOf(project, { lib: `oci-layout://${layout}` })).toBe("E_LAYOUT");
  });

  it("is refused when a blob of the layout is not what its name says", async () => {
    using project = makeProject("FROM scratch\nCOPY x.txt /base\n");
    const layout = beside(project, "layout");
    const made = await project.build({ outputs: [{ type: "oci", dest: layout, tar: false }] });
    const [, hex = ""] = (made.result?.imageID ?? "").split(":");
    writeFileSync(join(layout, "blobs/sha256", hex), "{}");
    using second = makeProject("FROM base\nCOPY x.txt /top\n");
    expect(await treeOf(second, { base: `oci-layout://${layout}` })).toMatch(/^E_(?:DIGEST|SIZE)_MISMATCH$/);
  });
});

describe("a named context that is a target", () => {
  it("is the stage of that name, if it comes before", async () => {
    using project = makeProject(
      `${fromBusybox.replace("scratch", "scratch AS one")}RUN echo hi > /made\nFROM base AS two\nRUN cat /made > /copy\n`,
    );
    expect(names(await treeOf(project, { base: "target:one" }))).toEqual(expect.arrayContaining(["/made", "/copy"]));
    expect(await treeOf(project, { base: "target:two" })).toBe("E_STAGE_NOT_FOUND");
  });
});

describe("--build-context refuses", () => {
  it.each([
    ["Upper", ".", "E_CONTEXT_NAME"],
    ["a b", ".", "E_CONTEXT_NAME"],
    ["a", "", "E_CONTEXT_VALUE"],
    ["a", "-", "E_CONTEXT_STDIN"],
    ["a", "ftp://host/x", "E_CONTEXT_VALUE"],
    ["a", "oci-layout://dir@sha256:12", "E_CONTEXT_VALUE"],
    ["a", "oci-layout://", "E_CONTEXT_VALUE"],
    ["a", "docker-image://UPPER", "E_REF_INVALID"],
    ["a", "/does/not/exist", "E_CONTEXT"],
    ["a", "/etc/passwd", "E_CONTEXT"],
  ])("%s=%s with %s", async (name, value, code) => {
    using project = makeProject("FROM scratch\nCOPY x.txt /\n");
    expect(await treeOf(project, { [name]: value })).toBe(code);
  });
});
