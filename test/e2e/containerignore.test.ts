import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Project } from "../rig/project.ts";

const files = { Dockerfile: "FROM scratch\nCOPY . /\n", a: "a", b: "b", c: "c" };

describe(".containerignore", () => {
  it.each<readonly [string, Readonly<Record<string, string>>, readonly string[]]>([
    ["counts where there is no .dockerignore", { ".containerignore": "a\n" }, ["b", "c"]],
    ["does not count beside .dockerignore", { ".containerignore": "a\n", ".dockerignore": "b\n" }, ["a", "c"]],
    [
      "of a Dockerfile wins over the context's",
      { ".dockerignore": "a\n", "Dockerfile.containerignore": "b\n" },
      ["a", "c"],
    ],
  ])("%s", async (_, ignore, kept) => {
    using project = new Project({ ...files, ...ignore });
    const dest = join(project.directory, "..", "out");
    expect((await project.build({ outputs: [{ type: "local", dest }] })).error).toBeUndefined();
    expect(readdirSync(dest).filter((name) => /^[abc]$/.test(name))).toEqual(kept);
  });
});

describe("a build argument for what is not there", () => {
  it.each([
    [{ BUILDKIT_INLINE_CACHE: "1" }, "BUILDKIT_INLINE_CACHE"],
    [{ BUILDKIT_ATTEST_SBOM: "" }, "BUILDKIT_ATTEST_SBOM"],
    [{ BUILDKIT_ATTEST_PROVENANCE: "mode=max" }, "BUILDKIT_ATTEST_PROVENANCE"],
  ])("%j is refused by name", async (buildArgs, name) => {
    using project = new Project(files);
    const { error } = await project.build({ buildArgs });
    expect(error).toMatchObject({ code: "E_UNSUPPORTED", message: expect.stringContaining(name) });
  });

  it("that asks for nothing is taken", async () => {
    using project = new Project(files);
    const buildArgs = { BUILDKIT_INLINE_CACHE: "0", BUILDKIT_ATTEST_SBOM: "disabled=true" };
    expect((await project.build({ buildArgs })).error).toBeUndefined();
  });
});
