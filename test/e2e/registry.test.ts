import { describe, expect, it } from "vitest";
import { images, pull, push, run, type RegistryOptions } from "../../builder/index.ts";
import { openStore } from "../../store/index.ts";
import { Project, fromBusybox } from "../rig/project.ts";
import { TestRegistry } from "../rig/registry.ts";

/** An image of the name in a store, and the name. */
async function built(registry: TestRegistry): Promise<{ readonly project: Project; readonly image: string }> {
  const project = new Project({
    Dockerfile: `${fromBusybox}RUN echo pulled > /file\nCMD ["grep", "-q", "pulled", "/file"]\n`,
  });
  const image = `${registry.host}/team/app:1`;
  const { error } = await project.build({ tags: [image] });
  expect(error).toBeUndefined();
  return { project, image };
}

function auth(host: string, user: string, password: string): RegistryOptions {
  const entry = { auth: Buffer.from(`${user}:${password}`).toString("base64") };
  return { credentials: [{ kind: "json", name: "test", text: JSON.stringify({ auths: { [host]: entry } }) }] };
}

describe("push() and pull()", () => {
  it("bring an image to another store, where it runs", async () => {
    await using registry = await TestRegistry.start();
    const { project, image } = await built(registry);
    using _project = project;
    using other = new Project({});
    const pushed = await push({ root: project.store, image });
    const pulled = await pull({ root: other.store, image });
    expect(pulled).toEqual(pushed);
    expect(await run({ root: other.store, image })).toEqual({ exitCode: 0 });
  });

  it("refuse an image of another platform than the one asked for, and leave none", async () => {
    await using registry = await TestRegistry.start();
    const { project, image } = await built(registry);
    using _project = project;
    using other = new Project({});
    await push({ root: project.store, image });
    const platform = "linux/s390x";
    await expect(pull({ root: other.store, image, platform })).rejects.toMatchObject({ code: "E_PLATFORM_MISSING" });
    expect(await images({ root: other.store })).toEqual([]);
    await pull({ root: other.store, image });
    await expect(run({ root: other.store, image, platform })).rejects.toMatchObject({ code: "E_PLATFORM_MISSING" });
  });

  it("send no blob that is there, and mount those of another repository", async () => {
    await using registry = await TestRegistry.start();
    const { project, image } = await built(registry);
    using _project = project;
    await push({ root: project.store, image });
    const uploads = (): number =>
      registry.requests.filter((one) => one.startsWith("PUT") && one.includes("/blobs/")).length;
    const before = uploads();
    await push({ root: project.store, image });
    expect(uploads()).toBe(before);
    expect(before).toBe(3);
  });

  it("go on where a broken download stopped", async () => {
    await using registry = await TestRegistry.start();
    const { project, image } = await built(registry);
    using _project = project;
    using other = new Project({});
    await push({ root: project.store, image });
    registry.faults.truncate = { bytes: 100_000, times: 2 };
    await pull({ root: other.store, image });
    await using store = await openStore({ root: other.store });
    expect(store.refs.get(image)).toBeDefined();
  });

  it("try again after a temporary error, as long as the registry asks", async () => {
    await using registry = await TestRegistry.start();
    const { project, image } = await built(registry);
    using _project = project;
    registry.faults.status = { code: 503, times: 3 };
    await push({ root: project.store, image });
    registry.faults.status = { code: 429, times: 1, retryAfter: "0" };
    using other = new Project({});
    await pull({ root: other.store, image });
  });

  it("refuse a layer with other bytes, and set no name", async () => {
    await using registry = await TestRegistry.start();
    const { project, image } = await built(registry);
    using _project = project;
    using other = new Project({});
    await push({ root: project.store, image });
    registry.faults.corrupt = true;
    await expect(pull({ root: other.store, image })).rejects.toMatchObject({ code: "E_DIGEST_MISMATCH" });
    await using store = await openStore({ root: other.store });
    expect(store.refs.get(image)).toBeUndefined();
  });

  for (const scheme of ["basic", "bearer"] as const) {
    it(`use the credentials of a config file by ${scheme}`, async () => {
      await using registry = await TestRegistry.start();
      const { project, image } = await built(registry);
      using _project = project;
      registry.faults.auth = { scheme, user: "me", password: "secret" };
      await push({ root: project.store, image, registry: auth(registry.host, "me", "secret") });
      const wrong = push({ root: project.store, image, registry: auth(registry.host, "me", "other") });
      await expect(wrong).rejects.toMatchObject({
        code: "E_REGISTRY_AUTH",
        message: expect.not.stringContaining("other"),
      });
    });
  }

  it("do not send credentials to where a blob is redirected", async () => {
    await using registry = await TestRegistry.start();
    await using elsewhere = await TestRegistry.start();
    const { project, image } = await built(registry);
    using _project = project;
    using other = new Project({});
    registry.faults.auth = { scheme: "basic", user: "me", password: "secret" };
    const credentials = auth(registry.host, "me", "secret");
    await push({ root: project.store, image, registry: credentials });
    for (const [digest, bytes] of registry.blobs) elsewhere.blobs.set(digest, bytes);
    registry.faults.redirect = `http://${elsewhere.host}`;
    await pull({ root: other.store, image, registry: credentials });
    expect(elsewhere.requests.length).toBeGreaterThan(0);
    expect(elsewhere.authorized).toBe(0);
  });

  it("find docker.io names at a mirror", async () => {
    await using registry = await TestRegistry.start();
    const { project } = await built(registry);
    using _project = project;
    const image = `${registry.host}/library/app:2`;
    await project.build({ tags: [image] });
    await push({ root: project.store, image });
    using other = new Project({});
    const mirrors = { "docker.io": [`http://${registry.host}`] };
    expect(await pull({ root: other.store, image: "app:2", registry: { mirrors } })).toMatchObject({
      name: "docker.io/library/app:2",
    });
  });
});
