import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { findControllers } from "../../../runtime/cgroup/controllers.ts";
import { Box } from "./container.ts";

const { tops } = findControllers();
const box = new Box();
afterAll(() => box[Symbol.dispose]());

/** Groups of containers that are still there, of those that this file's process makes. */
function left(): readonly string[] {
  const above = [...new Set(tops.values())].map((top) => join(top, "tsbuild")).filter((path) => existsSync(path));
  const own = above.flatMap((path) => readdirSync(path).map((name) => join(path, name)));
  return own
    .filter((path) => path.includes(`/${process.pid}.`) && existsSync(path))
    .flatMap((path) => readdirSync(path).filter((name) => name.startsWith("box-")));
}

describe.skipIf(!tops.has("memory") || !tops.has("pids"))(
  "what a container sees of control groups (needs memory and pids of v1)",
  () => {
    it("is its own groups, with its limits, of every controller that programs look at together", async () => {
      const script = `cd /sys/fs/cgroup; busybox cat memory/memory.limit_in_bytes pids/pids.max
        for name in ${[...tops.keys()].filter((name) => /^(cpu|cpuacct|cpuset|memory|pids)$/.test(name)).join(" ")}; do
          busybox grep -c . $name/cgroup.procs > /dev/null && echo ok $name; done; busybox ls -d */release_agent 2>/dev/null`;
      const { output } = await box.sh(script, { resources: { memory: 64 << 20, pids: 50 } });
      const named = [...tops.keys()].filter((name) => /^(cpu|cpuacct|cpuset|memory|pids)$/.test(name));
      expect(output.trim().split("\n")).toEqual([String(64 << 20), "50", ...named.map((name) => `ok ${name}`)]);
      expect(left()).toEqual([]);
    });

    it("is nothing that it can write or remount", async () => {
      const script = `for file in $(busybox find /sys/fs/cgroup -type f); do (echo 1 > $file) 2>/dev/null && echo wrote $file; done
        busybox mkdir /sys/fs/cgroup/memory/x /sys/fs/cgroup/x 2>/dev/null && echo made
        busybox mount -o remount,rw /sys/fs/cgroup/memory 2>/dev/null && echo remounted; busybox find /sys/fs/cgroup -type f | busybox grep -c .`;
      const { output } = await box.sh(script, { visibleGroups: true });
      expect(output).toMatch(/^[1-9]\d*\n$/);
      expect(left()).toEqual([]);
    });

    it("without limits and without being asked for is nothing: a step of a build has no group to make", async () => {
      expect((await box.sh("busybox grep -c ' - cgroup ' /proc/self/mountinfo")).output).toBe("0\n");
    });
  },
);
