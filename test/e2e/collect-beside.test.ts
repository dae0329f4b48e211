import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { startImage } from "../../builder/index.ts";
import { tryLock } from "../../native/lock.ts";
import { environmentOf, tsbuild } from "../rig/command.ts";
import { fromBusybox, Project, type Outcome } from "../rig/project.ts";
import { UrlServer } from "../rig/url-server.ts";

/** A build that has done its first steps and goes on when it is told to. */
async function startBuild(
  project: Project,
  server: UrlServer,
): Promise<{ readonly goOn: () => void; readonly ended: Promise<Outcome> }> {
  const asked = Promise.withResolvers<() => void>();
  server.on("/file", (_request, response) => asked.resolve(() => response.end("file")));
  const ended = project.build({ tags: ["app"] });
  const goOn = await Promise.race([asked.promise, ended.then(({ error }) => Promise.reject(error))]);
  return { goOn, ended };
}

/** Files and directories of that part of the store. */
function count(project: Project, part: string): number {
  return readdirSync(join(project.store, part), { recursive: true, withFileTypes: true }).filter(
    ({ parentPath }) => parentPath === join(project.store, part),
  ).length;
}

const lines = [
  `${fromBusybox}RUN echo base > /base\n`,
  "FROM base AS one\nRUN echo one > /one\n",
  "FROM base\nCOPY --from=one /one /copied\n",
];

describe("a build under way", () => {
  it.each(["new", "cached"])(
    "keeps what it has found and made from prune and rmi, its first steps being %s",
    async (kind) => {
      await using server = await UrlServer.start();
      using project = new Project({ Dockerfile: lines[0] ?? "" });
      expect((await project.build({ tags: ["base"] })).error).toBeUndefined();
      project.write("Dockerfile", `${fromBusybox}RUN echo other > /other\n`);
      expect((await project.build({ tags: ["other"] })).error).toBeUndefined();
      project.write("Dockerfile", `${lines[1]}${lines[2]}`);
      if (kind === "cached") expect((await project.build()).error).toBeUndefined();
      project.write(
        "Dockerfile",
        `${lines[1]}${lines[2]}ADD ${server.origin}/file /\nRUN cat /base /one /copied > /all || :\n`,
      );
      const { goOn, ended } = await startBuild(project, server);
      const before = count(project, "snapshots");
      for (const line of ["rmi other", "rmi base", "prune -a", "prune"])
        expect(await tsbuild(project, line.split(" "))).toMatchObject({ code: 0, stderr: "" });
      expect(count(project, "snapshots")).toBeLessThan(before);
      goOn();
      expect((await ended).error).toBeUndefined();
      expect(await tsbuild(project, ["run", "app", "cat", "/all", "/file"])).toMatchObject({
        code: 0,
        stdout: "base\none\nfile",
      });
      expect(await tsbuild(project, ["save", "-o", "app.tar", "app"])).toMatchObject({ code: 0, stderr: "" });
      await tsbuild(project, ["rmi", "app"]);
      await tsbuild(project, ["prune", "-a"]);
      expect([count(project, "snapshots"), count(project, "leases")]).toEqual([0, 0]);
    },
  );
});

describe("commands side by side", () => {
  it("never fail because of each other, and images that are done are whole", async () => {
    using project = new Project({ Dockerfile: `${lines[0]}` });
    await project.build({ tags: ["base"] });
    project.write("Dockerfile", `${lines[1]}ARG V\nRUN echo $V > /v\n${lines[2]}`);
    const run = async (...words: readonly string[]): Promise<void> => {
      expect([words, await tsbuild(project, words)]).toMatchObject([words, { code: 0 }]);
    };
    let isOver = false;
    const builds = [0, 1].map(async (at) => {
      for (let round = 0; round < 4; round++) {
        await run("-q", "--build-arg", `V=${round % 2}`, "-t", `app${at}`, ".");
        if (at === 0) await run("run", "app0", "cat", "/copied");
        else await run("save", "-o", "app.tar", "app1");
      }
    });
    const prunes = ["prune -a", "prune", "prune --until 1h"].map(async (line) => {
      while (!isOver) await run(...line.split(" "));
    });
    await Promise.all(builds).finally(() => (isOver = true));
    await Promise.all(prunes);
    for (const name of ["base", "app0", "app1"]) await run("run", name, "cat", "/base");
    await run("rmi", "base", "app0", "app1");
    await run("prune", "-a");
    expect([count(project, "snapshots"), count(project, "leases")]).toEqual([0, 0]);
  });
});

describe("a container that runs", () => {
  it("keeps its image's name from a prune of all images, and of others nothing", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}CMD ["true"]\n` });
    for (const name of ["used", "unused"]) {
      project.write("Dockerfile", `${fromBusybox}LABEL name=${name}\n`);
      expect((await project.build({ tags: [name] })).error).toBeUndefined();
    }
    mkdirSync(join(project.directory, "told"));
    const volumes = [`${join(project.directory, "told")}:/told`];
    const command = ["sh", "-c", "while [ ! -e /told/go ]; do sleep 0.05; done"];
    // By ID, for which every image is looked at.
    const id = (await tsbuild(project, ["images", "-q", "used"])).stdout.trim();
    await using running = await startImage({
      root: project.store,
      image: id,
      command,
      volumes,
      stdio: { stdin: 0, stdout: 1, stderr: 2 },
    });
    expect(await tsbuild(project, ["image", "prune", "-a", "-f"])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Deleted Images:\nuntagged: unused:latest\n/),
    });
    expect((await tsbuild(project, ["images", "--format", "{{.Repository}}"])).stdout).toBe("used\n");
    project.write("told/go", "");
    expect(await running.exitCode).toBe(0);
  });
});

describe("a command that opens the store while another one ends", () => {
  it.skipIf(!existsSync("/usr/bin/strace"))(
    "finds the other's lease gone, and goes on (skipped without strace)",
    async () => {
      using project = new Project({});
      await tsbuild(project, ["images"]);
      const lease = join(project.store, "leases/aaaaaaaaaaaa");
      const file = join(lease, "lock");
      mkdirSync(join(lease, "scratch"), { recursive: true });
      const held = tryLock(file);
      const traced = [
        "-f",
        "--seccomp-bpf",
        "-o",
        "/dev/null",
        "-e",
        "trace=flock",
        "-e",
        "inject=flock:delay_enter=500000",
      ];
      const child = spawn("strace", [...traced, resolve("builder/cli/tsbuild"), "images", "-q"], {
        env: environmentOf(project),
        stdio: ["ignore", "ignore", "pipe"],
      });
      const errors: Buffer[] = [];
      child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
      const closed = once(child, "close");
      await expect.poll(() => openers(file).length, { timeout: 15_000, interval: 2 }).toBeGreaterThan(0);
      rmSync(lease, { recursive: true });
      held?.[Symbol.dispose]();
      const [code] = await closed;
      expect([code, Buffer.concat(errors).toString()]).toEqual([0, ""]);
      expect(count(project, "leases")).toBe(0);
    },
  );

  it("leaves what it cannot remove to a later one", async () => {
    using project = new Project({});
    await tsbuild(project, ["images"]);
    const lease = join(project.store, "leases/aaaaaaaaaaaa");
    mkdirSync(join(lease, "scratch"), { recursive: true });
    writeFileSync(join(lease, "lock"), "");
    const left = join(project.store, "snapshots/aaaaaaaaaaaa-0/fs");
    mkdirSync(left, { recursive: true });
    execFileSync("mount", ["-t", "tmpfs", "none", left]);
    try {
      expect(await tsbuild(project, ["images", "-q"])).toMatchObject({ code: 0, stderr: "" });
      expect([count(project, "snapshots"), count(project, "leases")]).toEqual([1, 1]);
    } finally {
      execFileSync("umount", [left]);
    }
    expect(await tsbuild(project, ["images", "-q"])).toMatchObject({ code: 0, stderr: "" });
    expect([count(project, "snapshots"), count(project, "leases")]).toEqual([0, 0]);
  });
});

/** Other processes that have the file open. */
function openers(file: string): readonly string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
    try {
      return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === file);
    } catch {
      return false;
    }
  });
}
