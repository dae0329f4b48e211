import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { startImage, type BuildOptions } from "../../builder/index.ts";
import { findControllers } from "../../runtime/cgroup/controllers.ts";
import { groupsOf } from "./security/container.ts";
import { tsbuild, type Ended } from "../rig/command.ts";
import { fromBusybox, Project } from "../rig/project.ts";

const { directories, tops } = findControllers();
const has = (...names: readonly string[]): boolean => names.every((name) => directories.has(name));
/** Prints what flags can change. */
const look =
  "grep pgsql /etc/hosts; ulimit -Sn; ulimit -Hn; stat -f -c %b-%S /dev/shm; busybox hostname; ls /sys/class/net";
const words = ["--network", "none", "--add-host", "pgsql=10.1.2.3", "--ulimit", "nofile=100:200", "--shm-size", "1m"];

async function run(project: Project, flags: readonly string[], script: string): Promise<Ended> {
  return await tsbuild(project, ["run", ...flags, "app", "sh", "-c", script]);
}

describe("flags of limits", () => {
  it("mean the same to build and to run", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}RUN ${look}\n` });
    const built = await tsbuild(project, ["--progress", "plain", ...words, "-t", "app", "."]);
    expect(built.code).toBe(0);
    const log = [...built.stderr.matchAll(/^#\d+ \d\.\d+ (.*)$/gm)].map(([, line]) => line);
    expect(log).toEqual(["10.1.2.3\tpgsql", "100", "200", "256-4096", "buildkitsandbox", "lo"]);
    const ran = await run(project, [...words, "--hostname", "mine"], look);
    expect(ran.stdout).toBe("10.1.2.3\tpgsql\n100\n200\n256-4096\nmine\nlo\n");
  });

  it("host-gateway is the host's address, not part of a key", async () => {
    using project = new Project({ Dockerfile: `${fromBusybox}RUN grep -c pgsql /etc/hosts\n` });
    const hosts = (address: string): Partial<BuildOptions> => ({
      addHosts: [{ name: "pgsql", address }],
      tags: ["app"],
    });
    expect((await project.build(hosts("host-gateway"))).log).toBe("1\n");
    expect((await project.build(hosts("10.0.0.1"))).log).toBe("");
    const ran = await run(project, ["--network", "host", "--add-host", "pgsql:host-gateway"], "grep pgsql /etc/hosts");
    expect(ran.stdout).toBe("127.0.0.1\tpgsql\n");
  });

  it.skipIf(!has("pids", "cpuset"))("of processes and processors hold for run (needs pids, cpuset)", async () => {
    using project = new Project({ Dockerfile: fromBusybox });
    await project.build({ tags: ["app"] });
    const fork = "for i in 1 2 3 4 5 6; do sleep 5 & done; kill %1 %2; echo all";
    expect((await run(project, ["--pids-limit", "4"], fork)).stderr).toContain("can't fork");
    const allowed = await run(project, ["--cpuset-cpus", "0"], "grep Cpus_allowed_list /proc/self/status");
    expect(allowed.stdout).toMatch(/\t0\n/);
    const conflict = await run(project, ["--cpus", "1", "--cpu-quota", "5000"], "true");
    expect([conflict.code, conflict.stderr]).toEqual([2, expect.stringContaining("--cpu-quota")]);
  });

  it.skipIf(!has("cpu", "memory") || !tops.has("cpu"))(
    "are what the control group has (needs cpu and memory of v1)",
    async () => {
      using project = new Project({ Dockerfile: fromBusybox });
      await project.build({ tags: ["app"] });
      const fd = 1;
      await using running = await startImage({
        root: project.store,
        image: "app",
        command: ["sleep", "1000"],
        resources: { cpuShares: 512, cpuPeriod: 50_000, cpuQuota: 25_000, memory: 64 << 20, memorySwap: -1 },
        stdio: { stdin: 0, stdout: fd, stderr: fd },
      });
      const read = (controller: string, file: string): string => {
        const above = groupsOf(process.pid, directories.get(controller) ?? "");
        const groups = above.flatMap((group) => readdirSync(group).map((name) => join(group, name)));
        return readFileSync(
          join(groups.find((group) => basename(group).startsWith("run-")) ?? "", file),
          "utf8",
        ).trim();
      };
      expect(read("cpu", "cpu.shares")).toBe("512");
      expect(read("cpu", "cpu.cfs_quota_us")).toBe("25000");
      expect(read("cpu", "cpu.cfs_period_us")).toBe("50000");
      expect(read("memory", "memory.limit_in_bytes")).toBe(String(64 << 20));
      running.container.kill(9);
      await running.exitCode;
    },
  );
});

describe("--cgroup-parent", () => {
  const parent = `tsbuild-test-${process.pid}`;

  it.skipIf(!tops.has("pids"))(
    "has its limits hold for build and run, and is left as it was (needs pids of v1)",
    async () => {
      const group = join(tops.get("pids") ?? "", parent);
      mkdirSync(group);
      try {
        writeFileSync(join(group, "pids.max"), "6");
        const fork = "for i in 1 2 3 4 5 6 7 8; do sleep 5 & done; kill %1 %2; echo all";
        using project = new Project({ Dockerfile: `${fromBusybox}RUN ${fork}\n` });
        const built = await tsbuild(project, ["--progress", "plain", "--cgroup-parent", `/${parent}`, "."]);
        expect(built.stderr).toContain("can't fork");
        await project.build({ tags: ["app"] });
        const ran = await run(project, [`--cgroup-parent=${parent}`], fork);
        expect(ran.stderr).toContain("can't fork");
        expect(existsSync(join(group, "tsbuild"))).toBe(false);
      } finally {
        rmdirSync(group);
      }
      for (const top of tops.values()) expect(existsSync(join(top, parent))).toBe(false);
    },
  );

  it.each(["system.slice", "machine.slice:tsbuild:", "/", "../x", "/a/../..", "", "a\nb"])(
    "cannot be %j",
    async (path) => {
      using project = new Project({ Dockerfile: fromBusybox });
      const { error } = await project.build({ cgroupParent: path });
      expect(error).toMatchObject({ code: "E_CGROUP_PARENT" });
      if (path === "" || path.includes("\n")) return;
      const { code, stderr } = await tsbuild(project, ["--cgroup-parent", path, "."]);
      expect([code, stderr]).toEqual([2, expect.stringContaining("E_CGROUP_PARENT")]);
    },
  );
});
