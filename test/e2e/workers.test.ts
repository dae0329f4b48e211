import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { readdirSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { build, pull, push, run, type BuildEvent } from "../../builder/index.ts";
import { openStore } from "../../store/index.ts";
import { fromBusybox, Project } from "../rig/project.ts";
import { TestRegistry } from "../rig/registry.ts";

/** Layers above what the main thread takes: by their bytes, by their number of entries; then small ones. */
const bigLayers = `${fromBusybox}COPY random /random
RUN i=0; mkdir -p /many; cd /many; while [ $i -lt 2500 ]; do echo $i > f$i; i=$((i + 1)); done; rm /random
RUN head -c 40000000 /dev/zero > /zeros && ln /zeros /same
RUN test "$(ls /many | wc -l)" = 2500 && test ! -e /random && echo small > /small
CMD ["sh", "-c", "test -e /same && test ! -e /random && cat /small"]
`;

function bigProject(): Project {
  const project = new Project({ Dockerfile: bigLayers });
  writeFileSync(join(project.directory, "random"), randomBytes(12 << 20));
  return project;
}

const openFiles = (): number => readdirSync("/proc/self/fd").length;

describe("layers that are made on other threads", () => {
  it("are those that the main thread would make: packed again, their digests are right; a second build has them all", async () => {
    using project = bigProject();
    const options = { sourceDateEpoch: 1_000_000_000 };
    const dest = join(project.store, "..", "image.tar");
    const first = await project.build({ ...options, outputs: [{ type: "oci", dest, tar: true }] });
    expect(first.error).toBeUndefined();
    const second = await project.build(options);
    expect(second.result?.steps).toEqual({ total: 5, cached: 5 });
    expect(second.result?.imageID).toBe(first.result?.imageID);
    const anew = await project.build({ ...options, noCache: true });
    expect(anew.result?.imageID).toBe(first.result?.imageID);
  });

  it("are unpacked side by side from a registry and stacked in the image's order", async () => {
    await using registry = await TestRegistry.start();
    const image = `${registry.host}/team/big:1`;
    using project = bigProject();
    expect((await project.build({ tags: [image] })).error).toBeUndefined();
    await push({ root: project.store, image });
    using other = new Project({});
    await pull({ root: other.store, image });
    expect(await run({ root: other.store, image })).toEqual({ exitCode: 0 });
    expect(readdirSync(join(other.store, "snapshots"))).toHaveLength(5);
    expect(readdirSync(join(other.store, "leases"))).toEqual([]);
  });

  it("have the root directory of the topmost layer that says what it is", async () => {
    await using registry = await TestRegistry.start();
    const image = `${registry.host}/team/roots:1`;
    using project = new Project({
      Dockerfile: `FROM ${image}\nRUN test "$(stat -c %a:%u /)" = 711:7 && test -e /top\n`,
    });
    const top = join(project.directory, "top");
    writeFileSync(top, "top");
    const tar = (...args: readonly string[]): Buffer =>
      execFileSync("tar", ["-c", "--owner=7", ...args], { maxBuffer: 1 << 24 });
    const layers = [
      tar("-C", join(project.directory, "busybox"), "--mode=0711", "--no-recursion", "."),
      tar("-C", join(project.directory, "busybox"), "bin"),
      tar("-C", project.directory, "top"),
    ];
    await putImage(registry, image, layers);
    expect((await project.build()).error).toBeUndefined();
  });

  it("fail with their own error, and leave nothing", async () => {
    await using registry = await TestRegistry.start();
    const image = `${registry.host}/team/lies:1`;
    await putImage(registry, image, [randomBytes(6 << 20)]);
    using other = new Project({});
    await expect(pull({ root: other.store, image })).rejects.toMatchObject({ code: /^E_TAR_|^E_LAYER_DIGEST/ });
    expect(readdirSync(join(other.store, "snapshots"))).toEqual([]);
    await using store = await openStore({ root: other.store });
    expect(store.refs.list()).toEqual([]);
  });

  it("end early when the build is aborted, and close their files", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}RUN head -c 400000000 /dev/zero > /zeros\n` });
    const ended = async (signal: AbortSignal, onEvent: (event: BuildEvent) => void): Promise<unknown> => {
      const { result } = build({ context: project.directory, root: project.store, signal, onEvent });
      return await result.catch((error: unknown) => error);
    };
    // What a process opens once and keeps is open then.
    await ended(AbortSignal.abort(), () => undefined);
    const before = openFiles();
    const abort = new AbortController();
    let running: string | undefined;
    const error = await ended(abort.signal, (event) => {
      if (event.kind === "vertex" && event.vertex.name.includes("RUN")) running = event.vertex.digest;
      // The step has ended, its layer is being hashed.
      if (event.kind === "completed" && event.digest === running) abort.abort(new Error("enough"));
    });
    expect(error).toMatchObject({ message: "enough" });
    expect(openFiles() - before).toBeLessThan(12);
    expect(readdirSync(join(project.store, "snapshots"))).toHaveLength(1);
  });
});

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** An image of these tars. */
async function putImage(registry: TestRegistry, image: string, tars: readonly Buffer[]): Promise<void> {
  const rootfs = { type: "layers", diff_ids: tars.map(sha256) };
  const config = Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", rootfs }));
  const layers = tars.map((tar) => gzipSync(tar, { level: 1 }));
  for (const blob of [config, ...layers]) registry.blobs.set(sha256(blob), blob);
  const type = "application/vnd.oci.image";
  const manifest = {
    schemaVersion: 2,
    mediaType: `${type}.manifest.v1+json`,
    config: { mediaType: `${type}.config.v1+json`, digest: sha256(config), size: config.length },
    layers: layers.map((layer) => ({
      mediaType: `${type}.layer.v1.tar+gzip`,
      digest: sha256(layer),
      size: layer.length,
    })),
  };
  const name = image.slice(image.indexOf("/") + 1).replace(":", "/manifests/");
  const response = await fetch(`http://${registry.host}/v2/${name}`, {
    method: "PUT",
    headers: { "content-type": manifest.mediaType },
    body: JSON.stringify(manifest),
  });
  expect(response.status).toBe(201);
}
