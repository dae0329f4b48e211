import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { pull, push, type RegistryOptions } from "../../builder/index.ts";
import { Project } from "../rig/project.ts";
import { TestRegistry } from "../rig/registry.ts";

const size = 8 << 20;

/** An image of one layer that does not get smaller by compression. */
async function built(registry: TestRegistry, name = "team/app:1"): Promise<Project> {
  const project = new Project({ Dockerfile: "FROM scratch\nCOPY file /\n", file: "" });
  writeFileSync(join(project.directory, "file"), randomBytes(size));
  const { error } = await project.build({ tags: [`${registry.host}/${name}`] });
  expect(error).toBeUndefined();
  return project;
}

async function pushed(project: Project, registry: TestRegistry, options: RegistryOptions = {}): Promise<unknown> {
  return await push({ root: project.store, image: `${registry.host}/team/app:1`, registry: options });
}

/** It is there and whole: another store takes it. */
async function expectThere(registry: TestRegistry, image = "team/app:1"): Promise<void> {
  using other = new Project({});
  await pull({ root: other.store, image: `${registry.host}/${image}` });
}

function lines(registry: TestRegistry, pattern: RegExp): readonly string[] {
  return registry.asked.map(({ line }) => line).filter((line) => pattern.test(line));
}

describe("push() tries again", () => {
  it.each([
    ["the question for a blob", /^HEAD .*\/blobs\//],
    ["the start of an upload", /^POST .*\/uploads\/$/],
    ["the upload", /^PUT .*\/uploads\//],
    ["the manifest", /^PUT .*\/manifests\//],
    ["the token", /^GET \/token/],
  ])("%s after 503, and after 429 with the time that it says", async (_what, line) => {
    await using registry = await TestRegistry.start();
    using project = await built(registry);
    registry.faults.auth = { scheme: "bearer", user: "me", password: "secret" };
    const auth = Buffer.from("me:secret").toString("base64");
    const text = JSON.stringify({ auths: { [registry.host]: { auth } } });
    const options: RegistryOptions = { credentials: [{ kind: "json", name: "test", text }] };
    for (const fault of [{ code: 503 }, { code: 429, retryAfter: "0" }]) {
      registry.blobs.clear();
      registry.faults.on = { line, times: 1, ...fault };
      await pushed(project, registry, options);
      expect(registry.faults.on.times).toBe(0);
    }
    delete registry.faults.auth;
    await expectThere(registry);
  });

  it("from where a cut upload stopped", async () => {
    await using registry = await TestRegistry.start();
    using project = await built(registry);
    registry.faults.cut = { bytes: 1 << 20, times: 2 };
    await pushed(project, registry);
    await expectThere(registry);
    const rest = registry.asked.filter(({ line }) => line.startsWith("PATCH"));
    expect(rest.map(({ headers }) => headers["content-range"]?.replace(/-.*/, ""))).toEqual([
      String(1 << 20),
      String(2 << 20),
    ]);
  });

  it("from the beginning where the registry does not know how far an upload came", async () => {
    await using registry = await TestRegistry.start();
    using project = await built(registry);
    registry.faults.cut = { bytes: 1 << 20, times: 1 };
    registry.faults.forgetful = true;
    await pushed(project, registry);
    expect(lines(registry, /^PATCH/)).toEqual([]);
    await expectThere(registry);
  });

  it("no upload whose bytes nobody takes any more, and ends", async () => {
    await using registry = await TestRegistry.start();
    using project = await built(registry);
    registry.faults.cut = { bytes: 1 << 20, times: 1, stall: true };
    await expect(pushed(project, registry, { patience: 2000 })).rejects.toMatchObject({ code: "E_REGISTRY_STALLED" });
    expect(lines(registry, /manifests/)).toEqual([]);
  });

  it("no body that is too large for a proxy, and says what that is", async () => {
    await using registry = await TestRegistry.start();
    using project = await built(registry);
    registry.faults.bodyLimit = 1 << 20;
    await expect(pushed(project, registry)).rejects.toMatchObject({
      code: "E_REGISTRY_BODY_SIZE",
      hint: expect.stringContaining("client_max_body_size"),
    });
  });
});

describe("push() mounts a layer", () => {
  /** A base in the repository `base`, which was pulled, and an image on it; another repository comes before by name. */
  async function onBase(registry: TestRegistry): Promise<Project> {
    using base = await built(registry, "team/app:1");
    await push({ root: base.store, image: `${registry.host}/team/app:1` });
    const project = await built(registry, "aaa/first:1");
    await pull({ root: project.store, image: `${registry.host}/team/app:1` });
    writeFileSync(join(project.directory, "Dockerfile"), `FROM ${registry.host}/team/app:1\nCOPY Dockerfile /\n`);
    const { error } = await project.build({ tags: [`${registry.host}/own/app:1`] });
    expect(error).toBeUndefined();
    return project;
  }
  const from = (registry: TestRegistry): readonly string[] =>
    lines(registry, /mount=/).map(
      (line) => new URL(line.split(" ")[1] ?? "", "http://h").searchParams.get("from") ?? "",
    );

  it("from the repository that it came from, with the right to read there", async () => {
    await using registry = await TestRegistry.start();
    using project = await onBase(registry);
    registry.faults.auth = { scheme: "bearer", user: "me", password: "secret" };
    registry.hidden = true;
    const text = JSON.stringify({ auths: { [registry.host]: { username: "me", password: "secret" } } });
    await push({
      root: project.store,
      image: `${registry.host}/own/app:1`,
      registry: { credentials: [{ kind: "json", name: "test", text }] },
    });
    expect([...new Set(from(registry))]).toEqual(["team/app"]);
    expect(
      lines(registry, /^GET \/token/).map((line) => new URL(line.slice(4), "http://h").searchParams.getAll("scope")),
    ).toContainEqual(["repository:own/app:pull,push", "repository:team/app:pull"]);
    registry.hidden = false;
    delete registry.faults.auth;
    await expectThere(registry, "own/app:1");
  });

  it.each([401, 403, 404, 405, 202])("and sends it where that is answered %d", async (status) => {
    await using registry = await TestRegistry.start();
    using project = await onBase(registry);
    registry.hidden = true;
    registry.faults.mount = status;
    await push({ root: project.store, image: `${registry.host}/own/app:1` });
    registry.hidden = false;
    expect(from(registry)).toEqual(["team/app"]);
    await expectThere(registry, "own/app:1");
  });
});

describe("pull()", () => {
  it("fetches a blob once more whose bytes were turned on the way", async () => {
    await using registry = await TestRegistry.start();
    using project = await built(registry);
    await pushed(project, registry);
    registry.faults.corrupt = "once";
    await expectThere(registry);
    expect(registry.faults.corrupt).toBe(false);
  });
});
