import { expect, test } from "vitest";
import { encodePlan } from "../../../native/plan.ts";
import { mountOfWords, type ContainerSpec, type Mount, type SocketMount } from "../../../runtime/index.ts";
import { planContainer } from "../../../runtime/rootfs/plan.ts";

const spec: ContainerSpec = {
  id: "test",
  root: {
    kind: "overlay",
    layers: { lower: ["/l1", "/l2"], upper: "/u", work: "/w" },
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
const bind = { kind: "bind", source: "/s", target: "/t", attributes: [] } as const;
const owned = { attributes: [], mode: 0o600, uid: 1, gid: 2 } as const;
/** One mount of every kind. */
const everyKind: readonly Mount[] = [
  { ...bind, attributes: ["ro", "noexec"], recursive: true, inside: "/a" },
  { kind: "overlay", target: "/o", attributes: ["ro"], layers: { lower: ["/x", "/y"] }, inside: "/b" },
  { kind: "overlay", target: "/o", attributes: [], layers: { lower: ["/x"], upper: "/u2", work: "/w2" } },
  { kind: "filesystem", type: "tmpfs", source: "tmpfs", target: "/f", attributes: ["nosuid"], data: ["size=1m"] },
  { kind: "file", target: "/text", ...owned, content: { text: "a\n" } },
  { kind: "file", target: "/secret", ...owned, content: { attachment: "secret:x" } },
  { kind: "device", source: "/dev/x", target: "/dev/fifo", ...owned, device: { kind: "fifo" } },
  {
    kind: "device",
    source: "/dev/null",
    target: "/dev/null",
    ...owned,
    device: { kind: "char", major: 1, minor: 3, access: { read: true, write: true } },
  },
];

test("planContainer() gives the same plan for the same spec, and encodePlan() the same bytes", () => {
  expect(planContainer(spec, resources)).toEqual(planContainer(structuredClone(spec), resources));
  expect(encodePlan(planContainer(spec, resources))).toEqual(encodePlan(planContainer(spec, resources)));
});

test("planContainer() mounts the kernel's file systems locked down and before any of the caller", () => {
  const plan = planContainer({ ...spec, mounts: [{ ...bind, attributes: ["ro"], recursive: true }] }, resources);
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

test("mountOfWords() refuses a bind's unknown words, propagation among them, and kinds that words cannot describe", () => {
  const words = (type: string, ...options: string[]): Mount =>
    mountOfWords({ type, source: "/s", target: "/t", options });
  for (const word of ["shared", "rshared", "bind-propagation=shared", "size=1m", "upperdir=/x", "volatile", ""]) {
    expect(() => words("bind", word)).toThrow(expect.objectContaining({ code: "E_MOUNT_OPTION" }));
  }
  for (const type of ["overlay", "file", "socket", "device"])
    expect(() => words(type)).toThrow(expect.objectContaining({ code: "E_MOUNT_OPTION" }));
  expect(words("bind", "rbind", "rw", "rprivate", "ro")).toEqual({ ...bind, attributes: ["ro"], recursive: true });
  expect(words("tmpfs", "size=1m", "noexec", "exec", "mode=700")).toMatchObject({
    kind: "filesystem",
    type: "tmpfs",
    attributes: ["noexec"],
    data: ["size=1m", "mode=700"],
  });
});

test("planContainer() refuses a relative target", () => {
  for (const mount of everyKind) {
    const relative = { ...spec, mounts: [{ ...mount, target: "t" }] };
    expect(() => planContainer(relative, resources)).toThrow(expect.objectContaining({ code: "E_MOUNT_OPTION" }));
  }
});

test("planContainer() makes of a spec that was JSON what it makes of the spec", () => {
  const whole = { ...spec, mounts: everyKind };
  const files = new Map([["secret:x", Buffer.from("s")]]);
  const stored: ContainerSpec = JSON.parse(JSON.stringify(whole));
  expect(stored).toEqual(whole);
  const plan = planContainer(stored, { ...resources, files });
  expect(encodePlan(plan)).toEqual(encodePlan(planContainer(whole, { ...resources, files })));
  expect(plan.mounts).toMatchObject([
    { type: "bind", source: "/s", attributes: 0x9, recursive: true, inside: "/a" },
    { type: "overlay", attributes: 1, layers: { lower: ["/x", "/y"] }, inside: "/b" },
    { type: "overlay", attributes: 0, layers: { lower: ["/x"], upper: "/u2", work: "/w2" } },
    { type: "tmpfs", source: "tmpfs", data: "size=1m", attributes: 2 },
    { type: "file", file: { content: Buffer.from("a\n"), mode: 0o600, uid: 1, gid: 2 } },
    { type: "file", file: { content: Buffer.from("s"), mode: 0o600 } },
    { type: "device", device: { kind: "fifo", major: 0, minor: 0, mode: 0o600 } },
    { type: "device", source: "/dev/null", device: { kind: "char", major: 1, minor: 3 } },
  ]);
});

test("planContainer() gives each socket the descriptor that was opened for it, whoever answers", () => {
  const socket = (target: string): SocketMount => ({ kind: "socket", target, ...owned, attachment: "ssh:default" });
  const [one, other] = [socket("/a"), socket("/b")];
  const sockets = new Map([
    [one, 7],
    [other, 8],
  ]);
  const plan = planContainer({ ...spec, mounts: [one, other] }, { ...resources, sockets });
  expect(plan.mounts.map(({ socket: made }) => made?.fd)).toEqual([7, 8]);
  expect(() => planContainer({ ...spec, mounts: [socket("/a")] }, { ...resources, sockets })).toThrow(RangeError);
});

test("planContainer() makes every mount of the caller nodev and takes CAP_MKNOD where no control group guards devices", () => {
  const plan = planContainer({ ...spec, mounts: [{ ...bind, attributes: ["ro"] }] }, { ...resources, nodev: true });
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
