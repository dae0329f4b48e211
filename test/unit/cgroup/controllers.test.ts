import { describe, expect, it } from "vitest";
import { parseControllers } from "../../../runtime/cgroup/controllers.ts";

const line = (root: string, target: string, type: string, options: string): string =>
  `31 23 0:28 ${root} ${target} rw,relatime shared:9 - ${type} ${type} rw,${options}\n`;
const parse = (
  mounts: string,
  own: string,
  available: Readonly<Record<string, string>> = {},
): ReturnType<typeof parseControllers> => parseControllers(mounts, own, (directory) => available[directory] ?? "");

describe("parseControllers()", () => {
  it("finds the process's own group for each controller of v1, also where two share a hierarchy", () => {
    const { kind, directories } = parse(
      line("/", "/sys/fs/cgroup/cpu,cpuacct", "cgroup", "cpu,cpuacct") +
        line("/", "/sys/fs/cgroup/memory", "cgroup", "memory"),
      "4:memory:/job\n1:cpu,cpuacct:/\n",
    );
    expect(kind).toBe("v1");
    expect(directories.get("memory")).toBe("/sys/fs/cgroup/memory/job");
    expect(directories.get("cpuacct")).toBe("/sys/fs/cgroup/cpu,cpuacct");
  });

  it("takes off the part of the path that is above the mount, as in a container without a cgroup namespace", () => {
    const { directories } = parse(
      line("/docker/abc", "/sys/fs/cgroup/memory", "cgroup", "memory"),
      "4:memory:/docker/abc/inner\n",
    );
    expect(directories.get("memory")).toBe("/sys/fs/cgroup/memory/inner");
  });

  it("finds v2 beside v1, with and without controllers (hybrid)", () => {
    const mounts =
      line("/", "/sys/fs/cgroup/memory", "cgroup", "memory") + line("/", "/sys/fs/cgroup/unified", "cgroup2", "");
    const own = "4:memory:/\n0::/a\n";
    expect(parse(mounts, own).unified).toEqual({ top: "/sys/fs/cgroup/unified", own: "/sys/fs/cgroup/unified/a" });
    const mixed = parse(mounts, own, { "/sys/fs/cgroup/unified/a": "pids memory\n" });
    expect([mixed.kind, mixed.directories.get("memory"), mixed.directories.get("pids")]).toEqual([
      "v1",
      "/sys/fs/cgroup/memory",
      "/sys/fs/cgroup/unified/a",
    ]);
  });

  it("knows v2 alone, and takes from its top what the own group has not got", () => {
    const { kind, directories } = parse(line("/", "/sys/fs/cgroup", "cgroup2", ""), "0::/user.slice/s.scope\n", {
      "/sys/fs/cgroup": "cpu memory pids\n",
      "/sys/fs/cgroup/user.slice/s.scope": "memory pids\n",
    });
    expect(kind).toBe("v2");
    expect(directories.get("memory")).toBe("/sys/fs/cgroup/user.slice/s.scope");
    expect(directories.get("cpu")).toBe("/sys/fs/cgroup");
  });

  it("reads octal escapes of a mount point, and knows when nothing is mounted", () => {
    const { unified } = parse(line("/", "/mnt/a\\040b", "cgroup2", ""), "0::/\n");
    expect(unified?.top).toBe("/mnt/a b");
    expect(parse("", "0::/\n")).toMatchObject({ kind: "none", unified: undefined });
  });
});
