import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { tryLockExisting } from "../../../native/lock.ts";
import { deviceGuard } from "../../../runtime/cgroup/devices.ts";
import { findControllers } from "../../../runtime/cgroup/controllers.ts";
import { deviceRulesV1 } from "../../../runtime/cgroup/device-filter.ts";
import { processGroup } from "../../../runtime/cgroup/process-group.ts";
import type { ContainerSpec } from "../../../runtime/index.ts";
import { planContainer } from "../../../runtime/rootfs/plan.ts";
import { capabilityMask } from "../../../runtime/security/capabilities.ts";
import { Box, groupsOf } from "./container.ts";

const has = (name: string): boolean => findControllers().directories.has(name);
const guarded = deviceGuard().kind !== "nodev";

/** Makes a node and opens it; busybox's dd says what the kernel said. */
const tryDevice = (type: string, major: number, minor: number): string =>
  `busybox rm -f /tmp/n; busybox mknod /tmp/n ${type} ${major} ${minor} && busybox dd if=/tmp/n of=/dev/null count=0 2>&1`;

describe("devices of a container", () => {
  it.skipIf(!guarded)("can all be made, and only the harmless ones opened (needs control groups)", async () => {
    using box = new Box();
    const refused = [
      ["b", 7, 0],
      ["b", 254, 0],
      ["c", 1, 1],
      ["c", 1, 11],
      ["c", 10, 200],
      ["c", 5, 1],
    ] as const;
    for (const [type, major, minor] of refused)
      expect((await box.sh(tryDevice(type, major, minor))).output).toBe(
        "dd: can't open '/tmp/n': Operation not permitted\n",
      );
    for (const minor of [3, 5, 7, 8, 9])
      expect((await box.sh(tryDevice("c", 1, minor))).output).toContain("0+0 records in");
  });

  it.skipIf(!guarded || !has("memory") || !has("pids"))(
    "stay kept from it when it has limits (needs memory and pids)",
    async () => {
      using box = new Box();
      const { output } = await box.sh(tryDevice("b", 7, 0), { resources: { memory: 64 << 20, pids: 20 } });
      expect(output).toContain("Operation not permitted");
    },
  );
});

describe("limits of a container", () => {
  const groups = (): readonly string[] =>
    [...new Set(findControllers().directories.values())].flatMap((directory) => {
      return groupsOf(process.pid, directory).flatMap((own) => {
        const inside = readdirSync(own, { withFileTypes: true }).filter((entry) => entry.isDirectory());
        return inside.map(({ name }) => name).filter((name) => name !== "steps");
      });
    });

  it.skipIf(!has("memory"))("of memory kill it, which is told, and leave no group behind (needs memory)", async () => {
    using box = new Box();
    const { status, oomKilled } = await box.sh("busybox dd if=/dev/zero of=/dev/null bs=200M count=1", {
      resources: { memory: 20 << 20 },
    });
    expect({ status, oomKilled }).toEqual({ status: { kind: "signaled", signal: 9 }, oomKilled: true });
    expect(groups()).toEqual([]);
  });

  it.skipIf(!has("pids"))("of processes let it start no more (needs pids)", async () => {
    using box = new Box();
    const { output } = await box.sh("for i in 1 2 3 4 5 6 7 8; do busybox sleep 1 & done; busybox kill %1; echo all", {
      resources: { pids: 5 },
    });
    expect(output).toContain("can't fork");
    expect(groups()).toEqual([]);
  });

  it.skipIf(!has("cpuset"))(
    "that the kernel refuses are an error with a code, and leave no group behind (needs cpuset)",
    async () => {
      using box = new Box();
      await expect(box.sh("true", { resources: { cpusetCpus: "4000" } })).rejects.toMatchObject({
        code: "E_CGROUP_LIMIT",
      });
      expect(groups()).toEqual([]);
    },
  );
});

describe("processGroup()", () => {
  const base = findControllers().directories.get("devices") ?? "";
  const title =
    "on v1 lets any node be made, the harmless ones be opened, and sweeps what a dead process left (needs v1)";
  it.skipIf(base === "")(title, () => {
    // The number is that of a process that lives, and says nothing: it may be of another pid namespace.
    const left = join(base, "tsbuild", `${process.ppid}.00000000`);
    const used = join(base, "tsbuild", "4194304.00000000");
    for (const name of [left, used]) mkdirSync(join(name, "inner"), { recursive: true });
    using held = tryLockExisting(used);
    const group = processGroup(base, "v1");
    expect([existsSync(left), existsSync(used), held === undefined]).toEqual([false, true, false]);
    for (const name of [join(used, "inner"), used]) rmdirSync(name);
    expect(readFileSync(join(group, "devices.list"), "utf8").trim().split("\n").toSorted()).toEqual(
      deviceRulesV1([]).toSorted(),
    );
  });
});

describe("planContainer()", () => {
  it("takes CAP_MKNOD and device files away where there is no control group", () => {
    const spec: ContainerSpec = {
      id: "x",
      root: { kind: "bind", source: "/r" },
      mounts: [{ kind: "bind", source: "/s", target: "/t", attributes: [], recursive: true }],
      hostname: "h",
      args: ["a"],
      env: [],
      cwd: "/",
      user: { uid: 0, gid: 0, additionalGids: [] },
      network: "none",
    };
    const resources = { cgroupProcs: [], cgroup: undefined, seccomp: new Uint8Array(), cgroup2: false };
    const plan = planContainer(spec, { ...resources, network: { kind: "new" }, nodev: true });
    const mknod = capabilityMask(["CAP_MKNOD"]);
    expect([plan.nodev, plan.capabilities & mknod, plan.mounts.at(-1)?.attributes]).toEqual([true, 0n, 4]);
    const guarded = planContainer(spec, { ...resources, network: { kind: "new" }, nodev: false });
    expect([guarded.nodev, guarded.capabilities & mknod, guarded.mounts.at(-1)?.attributes]).toEqual([false, mknod, 0]);
  });
});
