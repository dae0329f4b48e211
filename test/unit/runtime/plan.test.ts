import { expect, test } from "vitest";
import { encodePlan } from "../../../native/plan.ts";
import type { ContainerSpec } from "../../../runtime/index.ts";
import { planContainer } from "../../../runtime/rootfs/plan.ts";

const spec: ContainerSpec = {
  id: "test",
  root: {
    type: "overlay",
    source: "overlay",
    target: "/",
    options: [],
    overlay: { lower: ["/l1", "/l2"], upper: "/u", work: "/w" },
  },
  mounts: [],
  hostname: "box",
  args: ["/bin/true"],
  env: ["A=b"],
  cwd: "/",
  user: { uid: 1, gid: 2, additionalGids: [3] },
  network: "none",
};
const resources = {
  cgroupProcs: [],
  cgroup: undefined,
  nodev: false,
  seccomp: new Uint8Array(8),
  network: { kind: "new" },
  cgroup2: false,
} as const;
const mounts = (...options: string[]): ContainerSpec => ({
  ...spec,
  mounts: [{ type: "bind", source: "/s", target: "/t", options }],
});

test("planContainer() gives the same plan for the same spec, and encodePlan() the same bytes", () => {
  expect(planContainer(spec, resources)).toEqual(planContainer(structuredClone(spec), resources));
  expect(encodePlan(planContainer(spec, resources))).toEqual(encodePlan(planContainer(spec, resources)));
});

test("planContainer() mounts the kernel's file systems locked down and before any of the caller", () => {
  const plan = planContainer(mounts("rbind", "ro"), resources);
  expect(plan.systemMounts.map((mount) => mount.target)).toEqual([
    "/proc",
    "/dev",
    "/dev/pts",
    "/dev/shm",
    "/dev/mqueue",
    "/sys",
  ]);
  // nosuid, nodev, noexec; /sys also read-only
  expect(plan.systemMounts.find((mount) => mount.target === "/proc")?.attributes).toBe(0xe);
  expect(plan.systemMounts.find((mount) => mount.target === "/sys")?.attributes).toBe(0xf);
  expect(plan.mounts).toEqual([{ type: "bind", source: "/s", target: "/t", data: "", attributes: 1, recursive: true }]);
});

test("planContainer() refuses a bind's unknown words, propagation among them, and a relative target", () => {
  for (const word of ["shared", "rshared", "bind-propagation=shared", "size=1m", "upperdir=/x", ""]) {
    expect(() => planContainer(mounts(word), resources)).toThrow(expect.objectContaining({ code: "E_MOUNT_OPTION" }));
  }
  const relative = { ...spec, mounts: [{ type: "bind", source: "/s", target: "t", options: [] }] };
  expect(() => planContainer(relative, resources)).toThrow(expect.objectContaining({ code: "E_MOUNT_OPTION" }));
});

test("planContainer() makes every mount of the caller nodev and takes CAP_MKNOD where no control group guards devices", () => {
  const plan = planContainer(mounts("ro"), { ...resources, nodev: true });
  expect(plan.mounts[0]?.attributes).toBe(0x5);
  expect(plan.capabilities & (1n << 27n)).toBe(0n);
  expect(planContainer(spec, resources).capabilities & (1n << 27n)).not.toBe(0n);
});

test("planContainer() raises loopback in a network of its own only", () => {
  expect(planContainer(spec, resources)).toMatchObject({ loopbackUp: true });
  const host = planContainer({ ...spec, network: "host" }, { ...resources, network: { kind: "host" } });
  expect(host.loopbackUp).toBe(false);
  expect(host.namespaces & 0x4000_0000).toBe(0);
});
