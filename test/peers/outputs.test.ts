import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { push } from "../../builder/index.ts";
import { Project, fromBusybox } from "../rig/project.ts";
import { TestRegistry } from "../rig/registry.ts";
import { Dockerd } from "./dockerd.ts";

const limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096", "--pids-limit=-1", "--network", "host"];

/** What other programs make of our outputs. Run by test/peers/run.sh, which installs them. */
describe("outputs", () => {
  const directory = mkdtempSync(join(tmpdir(), "tsbuild-outputs-"));
  const project = new Project({
    Dockerfile: `${fromBusybox}RUN mkdir /d && echo text > /d/f && chown 5:6 /d/f && ln -s f /d/l && rm /etc/group\nCMD ["cat", "/d/f"]\n`,
  });
  const oci = join(directory, "oci.tar");
  const docker = join(directory, "docker.tar");
  const layout = join(directory, "layout");
  const storage = join(directory, "podman");
  const call = (program: string, ...args: readonly string[]): string =>
    execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  const podman = (...args: readonly string[]): string =>
    call("podman", "--root", storage, "--runroot", `${storage}-run`, "--runtime", "runc", ...args);

  beforeAll(async () => {
    const policy = "/etc/containers/policy.json";
    mkdirSync("/etc/containers", { recursive: true });
    if (!existsSync(policy)) writeFileSync(policy, '{"default":[{"type":"insecureAcceptAnything"}]}');
    const { error } = await project.build({
      tags: ["example/app:1"],
      outputs: [
        { type: "image" },
        { type: "oci", dest: oci, tar: true },
        { type: "docker", dest: docker, tar: true },
        { type: "oci", dest: layout, tar: false },
      ],
    });
    expect(error).toBeUndefined();
  });

  afterAll(() => {
    project[Symbol.dispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  it("are read by skopeo", () => {
    expect(JSON.parse(call("skopeo", "inspect", `oci-archive:${oci}`)).Architecture).toBeDefined();
    call("skopeo", "copy", "-q", `docker-archive:${docker}`, `dir:${join(directory, "copied")}`);
    expect(existsSync(join(directory, "copied/manifest.json"))).toBe(true);
  });

  it("are unpacked by umoci", () => {
    call("umoci", "unpack", "--image", `${layout}:1`, join(directory, "bundle"));
    expect(existsSync(join(directory, "bundle/rootfs/d/f"))).toBe(true);
    expect(existsSync(join(directory, "bundle/rootfs/etc/group"))).toBe(false);
  });

  it("are loaded and run by podman", () => {
    podman("load", "-q", "-i", docker);
    expect(podman("run", ...limits, "--rm", "docker.io/example/app:1")).toBe("text\n");
  });

  it("are loaded by docker", async () => {
    await using dockerd = await Dockerd.start();
    expect(dockerd.docker(["load", "-i", docker])).toContain("example/app:1");
    expect(dockerd.docker(["inspect", "-f", "{{json .Config.Cmd}}", "example/app:1"]).trim()).toBe('["cat","/d/f"]');
  });

  it("are pulled from a registry and run by podman", async () => {
    await using registry = await TestRegistry.start();
    const image = `${registry.host}/example/app:2`;
    await project.build({ tags: [image] });
    await push({ root: project.store, image });
    const args = ["run", ...limits, "--tls-verify=false", "-q", "--rm", image];
    const { promise, resolve } = Promise.withResolvers<string>();
    const { execFile } = await import("node:child_process");
    execFile(
      "podman",
      ["--root", storage, "--runroot", `${storage}-run`, "--runtime", "runc", ...args],
      (_error, stdout) => resolve(stdout),
    );
    expect(await promise).toBe("text\n");
  });
});
