import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { push, type BuildOptions } from "../../builder/index.ts";
import { Project, type Outcome } from "../rig/project.ts";
import { TestRegistry } from "../rig/registry.ts";

/** Puts an image whose only file says `version` under the name. */
async function publish(image: string, version: string): Promise<void> {
  using maker = new Project({ Dockerfile: "FROM scratch\nCOPY v /v\n", v: version });
  expect((await maker.build({ tags: [image] })).error).toBeUndefined();
  await push({ root: maker.store, image });
}

/** Which version a build over the image sees, or its error's code. */
async function seen(project: Project, pull: BuildOptions["pull"]): Promise<unknown> {
  const dest = join(project.store, "..", "out");
  const options = pull === undefined ? {} : { pull };
  const { error }: Outcome = await project.build({ ...options, outputs: [{ type: "local", dest }] });
  if (error === undefined) return readFileSync(join(dest, "v"), "utf8");
  return error instanceof Error && "code" in error ? error.code : error;
}

describe("--pull", () => {
  it.each([
    [undefined, "old"],
    ["missing", "old"],
    ["never", "old"],
    ["always", "new"],
    ["newer", "new"],
  ] as const)("=%s sees the %s image, where the registry's is newer", async (pull, version) => {
    await using registry = await TestRegistry.start();
    const image = `${registry.host}/base:1`;
    using project = new Project({ Dockerfile: `FROM ${image}\nCOPY x /x\n`, x: "x" });
    await publish(image, "old");
    expect(await seen(project, undefined)).toBe("old");
    await publish(image, "new");
    expect(await seen(project, pull)).toBe(version);
    // What was pulled is what the next build without a policy uses.
    expect(await seen(project, "never")).toBe(version);
  });

  it.each(["always", "newer"] as const)("=%s fetches no layer again that is the registry's still", async (pull) => {
    await using registry = await TestRegistry.start();
    const image = `${registry.host}/base:1`;
    using project = new Project({ Dockerfile: `FROM ${image}\nCOPY x /x\n`, x: "x" });
    await publish(image, "old");
    await seen(project, undefined);
    registry.requests.length = 0;
    expect(await seen(project, pull)).toBe("old");
    expect(registry.requests.filter((one) => one.startsWith("GET") && one.includes("/blobs/"))).toEqual([]);
    expect(registry.requests.length).toBeGreaterThan(0);
  });

  it.each([
    ["missing", "old"],
    ["never", "old"],
    ["newer", "old"],
    ["always", "E_REGISTRY_UNREACHABLE"],
  ] as const)("=%s without its registry: %s", async (pull, result) => {
    const { host, project: made } = await (async () => {
      await using registry = await TestRegistry.start();
      const image = `${registry.host}/base:1`;
      const project = new Project({ Dockerfile: `FROM ${image}\nCOPY x /x\n`, x: "x" });
      await publish(image, "old");
      await seen(project, undefined);
      return { host: registry.host, project };
    })();
    using project = made;
    expect(host).not.toBe("");
    expect(await seen(project, pull)).toBe(result);
  });

  it("=never refuses an image that is not in the store, without a request", async () => {
    await using registry = await TestRegistry.start();
    const image = `${registry.host}/base:1`;
    await publish(image, "old");
    registry.requests.length = 0;
    using project = new Project({ Dockerfile: `FROM ${image}\n` });
    expect(await seen(project, "never")).toBe("E_IMAGE_NOT_FOUND");
    expect(registry.requests).toEqual([]);
  });

  it.each([
    ["missing", "old"],
    ["always", "new"],
  ] as const)("=%s counts for COPY --from an image: %s", async (pull, version) => {
    await using registry = await TestRegistry.start();
    const image = `${registry.host}/base:1`;
    using project = new Project({ Dockerfile: `FROM scratch\nCOPY --from=${image} /v /v\n` });
    await publish(image, "old");
    expect(await seen(project, undefined)).toBe("old");
    await publish(image, "new");
    expect(await seen(project, pull)).toBe(version);
  });
});
