import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findControllers } from "../../../runtime/cgroup/controllers.ts";
import { groupsOf } from "./container.ts";

/** Runs containers where these commands have changed what is mounted, for the test alone. */
function inMounts(commands: string): unknown {
  const script = join(import.meta.dirname, "kinds.ts");
  const done = spawnSync(
    "unshare",
    ["--mount", "sh", "-ec", `${commands}; exec "$@"`, "sh", process.execPath, script],
    {
      encoding: "utf8",
    },
  );
  if (done.status !== 0) throw new Error(done.stderr);
  return JSON.parse(done.stdout);
}

/** Neither of the two nodes can be opened, nothing is written below /sys, the usual devices work, paths are hidden. */
const output = "2\n3\n";
/** A device that it is given, which no driver has, can be opened; another with its major number cannot. */
const device = "No such device or address\nOperation not permitted\n";
const only = (type: string): boolean =>
  readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .some((line) => line.includes(` - ${type} `));

describe("a container's devices and limits", () => {
  it.skipIf(!existsSync("/sys/fs/cgroup"))("with v2 alone are a group's, which it sees read-only (needs /sys)", () => {
    const expected = { kind: "v2", guard: "v2", output, device, readOnly: device, outside: [] };
    expect(inMounts("umount -R /sys/fs/cgroup || true; mount -t cgroup2 none /sys/fs/cgroup")).toMatchObject(expected);
  });

  it("with nothing mounted are kept by nodev, and a limit is an error", () => {
    const nodev = {
      device: "No such device or address\nOperation not permitted\nNo such file or directory\n",
      readOnly: "E_CGROUP_LIMIT",
    };
    const expected = {
      kind: "none",
      guard: "nodev",
      output,
      limited: "E_CGROUP_LIMIT",
      outside: "E_CGROUP_PARENT",
      ...nodev,
    };
    expect(inMounts("umount -R /sys/fs/cgroup || true")).toEqual(expected);
  });

  it.skipIf(!only("cgroup"))("with v1 alone are the devices controller's (needs a kernel that mounts v1)", () => {
    const expected = { kind: "v1", guard: "v1", output, device, readOnly: device, limited: "exited", outside: [] };
    expect(inMounts("umount -t cgroup2 -a || true")).toEqual(expected);
  });

  it("leave no group behind when the process has ended", () => {
    const child = spawnSync(process.execPath, [join(import.meta.dirname, "kinds.ts")], { encoding: "utf8" });
    expect(JSON.parse(child.stdout)).toMatchObject({ output });
    const { directories, tops, unified } = findControllers();
    const places = [
      ...directories.values(),
      ...tops.values(),
      ...(unified === undefined ? [] : [unified.own, unified.top]),
    ];
    expect(places.flatMap((place) => groupsOf(child.pid, place))).toEqual([]);
    expect(places.filter((place) => existsSync(join(place, `tsbuild-parent-${child.pid}`)))).toEqual([]);
  });
});
