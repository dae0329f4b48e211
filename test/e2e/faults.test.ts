import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { build, startImage } from "../../builder/index.ts";
import { tsbuild } from "../rig/command.ts";
import { Project, fromBusybox } from "../rig/project.ts";
import { SmallDisk } from "../rig/small-disk.ts";

const program = join(import.meta.dirname, "../../builder/cli/tsbuild");

describe("build() with a full disk", () => {
  it("says so, and keeps a store that works", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}RUN cat /dev/zero | head -c 60000000 > /big\n` });
    using disk = new SmallDisk("24m");
    const store = join(disk.directory, "store");
    const failed = await project.build({ root: store });
    expect(failed.error).toMatchObject({ code: expect.stringMatching(/^E_(RUN_FAILED|NO_SPACE)$/) });
    project.write("Dockerfile", `${fromBusybox}RUN echo fits > /small\n`);
    const fits = await project.build({ root: store });
    expect(fits.error).toBeUndefined();
    expect(readdirSync(join(store, "leases"))).toEqual([]);
  });

  it("names the error when the builder itself cannot write", async () => {
    using project = new Project({ Dockerfile: "FROM scratch\nCOPY . /\n" });
    writeFileSync(join(project.directory, "big"), Buffer.alloc(30 << 20, 1));
    using disk = new SmallDisk("24m");
    const { error } = await project.build({ root: join(disk.directory, "store") });
    expect(error).toMatchObject({ code: "E_NO_SPACE" });
  });
});

describe("build() with a store on an overlay", () => {
  it("says which file system cannot be written to, and where the store could be", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}RUN true\n` });
    const parts = ["lower", "upper", "work", "merged"].map((name) => join(project.store, "..", name));
    const [lower = "", upper = "", work = "", merged = ""] = parts;
    for (const part of parts) mkdirSync(part);
    const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
    execFileSync("mount", ["-t", "overlay", "overlay", "-o", options, merged]);
    try {
      const { error } = await project.build({ root: join(merged, "store") });
      expect(error).toMatchObject({
        code: "E_NO_OVERLAY",
        message: "Cannot use the store for builds: overlayfs cannot write to overlay, where it is",
        location: { start: { line: 3 } },
        hint: expect.stringMatching(/^TSBUILD_ROOT=\//),
      });
      project.write("Dockerfile", `${fromBusybox}COPY Dockerfile /other\n`);
      const copied = await project.build({ root: join(merged, "store") });
      expect(copied.error).toMatchObject({ code: "E_NO_OVERLAY" });
    } finally {
      execFileSync("umount", [merged]);
    }
  });
});

describe("build() from a registry that lies", () => {
  const answers: readonly (readonly [string, string, number, string, string])[] = [
    ["a web page", "text/html", 200, "<html>login</html>", "E_REGISTRY_LIES"],
    ["no JSON", "application/vnd.oci.image.manifest.v1+json", 200, "{", "E_MANIFEST_INVALID"],
    ["nothing", "application/json", 404, "{}", "E_BASE_NOT_FOUND"],
    ["a refusal", "application/json", 403, "{}", "E_REGISTRY_AUTH"],
  ];
  for (const [what, type, status, body, code] of answers) {
    it(`refuses ${what} with ${code}`, async () => {
      const server = createServer((_request, response) => {
        response.writeHead(status, { "content-type": type }).end(body);
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      try {
        const address = server.address();
        const port = typeof address === "object" && address !== null ? address.port : 0;
        using project = new Project({ Dockerfile: `FROM 127.0.0.1:${port}/base:1\n` });
        const { error } = await project.build();
        expect(error).toMatchObject({ code, location: { start: { line: 1, column: 6 } } });
      } finally {
        server.close();
      }
    });
  }

  it("says that nobody answers", async () => {
    using project = new Project({ Dockerfile: "FROM 127.0.0.1:1/base:1\n" });
    const { error } = await project.build();
    expect(error).toMatchObject({ code: "E_REGISTRY_UNREACHABLE" });
  });
});

describe("a build that is killed", () => {
  it("leaves no process and no mount, and the next one sweeps its files", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}RUN sleep ${1_000_000 + process.pid}\n` });
    const { spawn } = await import("node:child_process");
    const child = spawn(program, ["build", "--root", project.store, "--progress=plain", project.directory], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    const started = Promise.withResolvers<void>();
    child.stderr.on("data", (data: Buffer) => {
      if (data.toString().includes("RUN sleep")) started.resolve();
    });
    await started.promise;
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.kill("SIGKILL");
    await ended;
    await expect.poll(() => sleepers(), { timeout: 5000 }).toBe(0);
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(project.store);
    project.write("Dockerfile", `${fromBusybox}RUN true\n`);
    await build({ context: project.directory, root: project.store }).result;
    expect(readdirSync(join(project.store, "leases"))).toEqual([]);
    expect(readdirSync(join(project.store, "snapshots"))).toHaveLength(1);
  });
});

function sleepers(): number {
  return readdirSync("/proc").filter((pid) => {
    try {
      return (
        /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(`sleep\0${1_000_000 + process.pid}`)
      );
    } catch {
      return false;
    }
  }).length;
}

describe("prune", () => {
  it("takes what a killed prune left, and forgets contexts and builds with --all", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}RUN true\n`, a: "a" });
    for (let at = 0; at < 600; at++) project.write(`many/${at}`, String(at));
    project.write("Dockerfile", `${fromBusybox}COPY many /many\n`);
    expect((await project.build({ tags: ["kept"] })).error).toBeUndefined();
    const left = join(project.store, "snapshots/0123456789ab-0/fs/some");
    mkdirSync(left, { recursive: true });
    const { code } = await tsbuild(project, ["prune", "--all"]);
    expect(code).toBe(0);
    expect(readdirSync(join(project.store, "snapshots"))).toHaveLength(2);
    for (const name of ["contexts", "builds"]) expect(readdirSync(join(project.store, name))).toEqual([]);
    const again = await project.build();
    expect(again.error).toBeUndefined();
  });
});

describe("a container that runs", () => {
  it("keeps what it stands on, and nothing else, from prune and rmi", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}RUN echo mine > /mine\nRUN echo more > /more\n` });
    expect((await project.build({ tags: ["app"] })).error).toBeUndefined();
    project.write("Other", `${fromBusybox}RUN echo other > /other\n`);
    const other = { dockerfile: join(project.directory, "Other"), tags: ["other"] };
    expect((await project.build(other)).error).toBeUndefined();
    const snapshots = (): number => readdirSync(join(project.store, "snapshots")).length;
    expect(snapshots()).toBe(4);
    const stdio = { stdin: 0, stdout: 1, stderr: 2 };
    // It writes by itself once it is told to, by a file that appears in a volume.
    const script = "while [ ! -e /told/go ]; do sleep 0.05; done; cat /mine /more > /told/out; echo w > /written";
    mkdirSync(join(project.directory, "told"));
    const volumes = [`${join(project.directory, "told")}:/told`];
    {
      const command = ["sh", "-c", script];
      await using running = await startImage({ root: project.store, image: "app", command, volumes, stdio });
      expect(await tsbuild(project, ["rmi", "app", "other"])).toMatchObject({ code: 0, stderr: "" });
      expect(await tsbuild(project, ["prune", "--all"])).toMatchObject({ code: 0, stderr: "" });
      expect(snapshots()).toBe(5); // its three layers, what it writes, and the work directory of its overlay
      project.write("told/go", "");
      expect(await running.exitCode).toBe(0);
      expect(readFileSync(join(project.directory, "told/out"), "utf8")).toBe("mine\nmore\n");
    }
    expect(snapshots()).toBe(3);
    expect((await tsbuild(project, ["prune"])).code).toBe(0);
    expect(snapshots()).toBe(0);
    expect(readdirSync(join(project.store, "leases"))).toEqual([]);
  });
});

describe("two builds at once", () => {
  it("in one store do not harm each other", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}RUN echo shared > /shared\nRUN cat /shared\n` });
    mkdirSync(project.store, { recursive: true });
    const outcomes = await Promise.all([
      project.build({ tags: ["a"] }),
      project.build({ tags: ["b"] }),
      project.build({ tags: ["c"] }),
    ]);
    expect(outcomes.map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
    const again = await project.build({ tags: ["a"] });
    expect(again.result?.steps).toEqual({ total: 3, cached: 3 });
  });
});
