import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { environmentOf, tsbuild } from "../../rig/command.ts";
import { ContainerRig } from "../../rig/container.ts";
import { fromBusybox, Project } from "../../rig/project.ts";

const rig = new ContainerRig();
afterAll(() => rig[Symbol.dispose]());

/** Children of this process, also zombies, that are the process which clones containers. */
function spawners(): readonly number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    const [, name, parent] = /\((.*)\) \S (\d+)/s.exec(stat(pid)) ?? [];
    return name === "tsbuild-init" && Number(parent) === process.pid;
  });
}

function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").map(Number);
}

function groupOf(pid: number): number {
  return Number(/\) \S \d+ (\d+)/.exec(stat(pid))?.[1]);
}

function stat(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return "";
  }
}

describe("the process that clones containers", () => {
  it("is one for many, and ends soon after the last", async () => {
    const both = await Promise.all([rig.output("echo 1"), rig.output("echo 2")]);
    expect(both).toEqual(["1", "2"]);
    expect(spawners()).toHaveLength(1);
    await vi.waitFor(() => expect(spawners()).toEqual([]), { timeout: 10_000 });
    expect(await rig.output("echo again")).toBe("again");
  });

  it("is replaced when somebody kills it, and its containers go on", async () => {
    const running = rig.output("read line < /dev/null; sleep 0.3; echo survived");
    await vi.waitFor(() => expect(spawners().length).toBeGreaterThan(0));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const [pid = 0] = spawners().filter((one) => stat(one).includes(" S "));
    const name = readFileSync(`/proc/${pid}/cmdline`, "utf8");
    expect(name).toContain("serve");
    process.kill(pid, "SIGKILL");
    await vi.waitFor(() => expect(stat(pid)).toMatch(/^$|\) Z /));
    expect(await rig.output("echo next")).toBe("next");
    expect(await running).toBe("survived");
  });

  it("has nothing of the engine open but its socket, and an init has no more than it needs", async () => {
    // The init closes what is its program's when that runs: it may be here first.
    const script =
      "n=0; until [ $(ls /proc/1/fd | wc -l) = 1 ] || [ $n = 500 ]; do n=$((n+1)); done; ls /proc/1/fd | wc -l; for f in /proc/1/fd/* /proc/1/exe /proc/1/cwd /proc/1/ns/mnt; do readlink $f && echo seen $f; done; cat /proc/1/mem /proc/1/maps 2>/dev/null | wc -c; grep -E 'CapEff|CapBnd' /proc/1/status | cut -f2";
    // One descriptor, the status pipe's; it may kill, and could never become more than the program itself.
    expect(await rig.output(script, { init: true })).toBe("1\n0\n0000000000000020\n00000000a80425fb");
    const [pid = 0] = spawners().filter((one) => readFileSync(`/proc/${one}/cmdline`, "utf8").includes("serve"));
    expect(readdirSync(`/proc/${pid}/fd`).toSorted()).toEqual(["0", "1", "2", "3"]);
    expect(readFileSync(`/proc/${pid}/status`, "utf8")).toMatch(/Threads:\t1\n/);
  });

  it("ends its containers where the whole group of the engine is killed, whoever their user is", async () => {
    using project = new Project({ Dockerfile: fromBusybox });
    expect(await tsbuild(project, ["-q", "-t", "app", "."])).toMatchObject({ code: 0 });
    const words = ["run", "--network", "none", "-u", "1000", "app", "sh", "-c", "echo up; sleep 5000"];
    const engine = spawn(resolve("builder/cli/tsbuild"), words, {
      cwd: project.directory,
      env: environmentOf(project),
      detached: true,
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(engine.stdout, "data");
    const group = engine.pid ?? 0;
    const children = childrenOf(group);
    const [spawner = 0] = children.filter((pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("serve"));
    const containers = children.filter((pid) => !stat(pid).includes("(tsbuild-init)"));
    expect(containers).toHaveLength(1);
    expect(groupOf(containers[0] ?? 0)).not.toBe(group);
    // A program can undo what the kernel does at the end of its parent: then this one has to be there.
    expect(groupOf(spawner)).toBe(spawner);
    process.kill(-group, "SIGKILL");
    await vi.waitFor(() => expect([spawner, ...containers].map(stat).join("")).toBe(""), { timeout: 20_000 });
  });

  it("is gone when a command is", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}RUN echo 1\n` });
    const command = join(import.meta.dirname, "../../../builder/cli/tsbuild");
    // In a pid namespace, where no other program of the machine is seen.
    const script = '"$0" build -q "$1" > /dev/null || exit; cat /proc/[0-9]*/comm';
    const { status, stdout } = spawnSync(
      "unshare",
      ["--pid", "--fork", "--mount-proc", "sh", "-c", script, command, project.directory],
      { env: { ...process.env, TSBUILD_ROOT: project.store }, encoding: "utf8" },
    );
    expect(status).toBe(0);
    expect(stdout.split("\n")).toContain("sh");
    expect(stdout).not.toContain("tsbuild-init");
  });
});
