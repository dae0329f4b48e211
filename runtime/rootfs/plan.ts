import { TsbuildError } from "../../native/errors.ts";
import type { DeviceFile, Mount, SocketFile } from "../../native/mount.ts";
import type { InitMount, InitPlan, InitSocket } from "../../native/plan.ts";
import type { ContainerSpec } from "../spec/container-spec.ts";
import type { Hierarchy } from "../cgroup/cgroup.ts";
import type { NetworkJoin } from "../network/network.ts";
import { capabilityMask, defaultCapabilities, grantableMask, ownCapabilities } from "../security/capabilities.ts";
import { maskedPaths, readonlyPaths } from "../security/paths.ts";
import { rlimitNumber } from "./rlimit.ts";

const CLONE = {
  NEWNS: 0x0002_0000,
  NEWCGROUP: 0x0200_0000,
  NEWUTS: 0x0400_0000,
  NEWIPC: 0x0800_0000,
  NEWPID: 0x2000_0000,
  NEWNET: 0x4000_0000,
} as const;
const ATTR = { RDONLY: 0x1, NOSUID: 0x2, NODEV: 0x4, NOEXEC: 0x8, STRICTATIME: 0x20, NOATIME: 0x10 } as const;
const attributeNames: ReadonlyMap<string, number> = new Map([
  ["ro", ATTR.RDONLY],
  ["nosuid", ATTR.NOSUID],
  ["nodev", ATTR.NODEV],
  ["noexec", ATTR.NOEXEC],
  ["noatime", ATTR.NOATIME],
  ["strictatime", ATTR.STRICTATIME],
]);
/** Words of mount(8) that say what is the case anyway, or that choose how a bind is made. */
const plainWords = new Set(["rw", "bind", "rbind", "suid", "dev", "exec", "private", "rprivate", "rslave"]);
const defaultShm = 64 << 20;

/** What only the running machine knows: computed before, so that the plan itself is pure. */
export interface PlanResources {
  readonly cgroupProcs: readonly string[];
  /** The v2 group to be cloned into; undefined = none. */
  readonly cgroup: string | undefined;
  /** Whether no control group keeps the container from devices: its mounts and capabilities must. */
  readonly nodev: boolean;
  readonly seccomp: Uint8Array;
  readonly network: NetworkJoin;
  /** Whether overlays keep their attributes under user.*: they must in a user namespace. */
  readonly userxattr?: boolean;
  /** Whether to mount the unified cgroup hierarchy, read-only. */
  readonly cgroup2: boolean;
  /** The hierarchies of v1 to mount, read-only. */
  readonly hierarchies?: readonly Hierarchy[];
  /** Descriptors for the mounts of type "socket". */
  readonly sockets?: ReadonlyMap<SocketFile, number>;
}

/** A container's plan. Pure: the same spec and resources give the same plan. */
export function planContainer(spec: ContainerSpec, resources: PlanResources): InitPlan {
  const { root } = spec;
  return {
    namespaces:
      CLONE.NEWNS |
      CLONE.NEWCGROUP |
      CLONE.NEWUTS |
      CLONE.NEWIPC |
      CLONE.NEWPID |
      (resources.network.kind === "new" ? CLONE.NEWNET : 0),
    cgroupProcs: resources.cgroupProcs,
    cgroup: resources.cgroup ?? "",
    nodev: resources.nodev,
    netns: resources.network.kind === "path" ? resources.network.path : "",
    staging: root.overlay === undefined ? root.source : (root.overlay.work ?? root.overlay.lower[0] ?? ""),
    root:
      root.overlay === undefined
        ? { kind: "bind", source: root.source }
        : {
            kind: "overlay",
            lower: root.overlay.lower,
            upper: root.overlay.upper ?? "",
            work: root.overlay.work ?? "",
            volatile: root.options.includes("volatile"),
            userxattr: resources.userxattr ?? false,
          },
    readonlyRoot: spec.readonlyRoot ?? false,
    systemMounts: systemMounts(spec, resources),
    mounts: spec.mounts.map((mount) => userMount(mount, resources)),
    masked: spec.privileged === true ? [] : (spec.maskedPaths ?? maskedPaths),
    readonlyPaths: spec.privileged === true ? [] : (spec.readonlyPaths ?? readonlyPaths),
    hostname: spec.hostname,
    loopbackUp: resources.network.kind === "new",
    terminal: spec.terminal,
    init: spec.init ?? false,
    limits: (spec.rlimits ?? []).map(({ type, soft, hard }) => ({
      resource: rlimitNumber(type),
      soft: BigInt(soft),
      hard: BigInt(hard),
    })),
    capabilities: grantedCapabilities(spec, resources.nodev),
    noNewPrivs: spec.noNewPrivileges ?? false,
    uid: spec.user.uid,
    gid: spec.user.gid,
    groups: spec.user.additionalGids,
    cwd: spec.cwd,
    seccomp: resources.seccomp,
    args: spec.args,
    env: spec.env,
  };
}

/** Where nothing else keeps the container from devices it must not be able to make any. */
export function grantedCapabilities(spec: ContainerSpec, nodev: boolean): bigint {
  if (spec.privileged === true) return ownCapabilities();
  const mask = grantableMask(spec.capabilities ?? defaultCapabilities);
  return nodev ? mask & ~capabilityMask(["CAP_MKNOD"]) : mask;
}

/** What every container has. @see runtime-spec config-linux.md#default-filesystems */
function systemMounts(spec: ContainerSpec, resources: PlanResources): readonly InitMount[] {
  const locked = ATTR.NOSUID | ATTR.NODEV | ATTR.NOEXEC;
  const made = (type: string, target: string, data: string, attributes: number): InitMount => ({
    type,
    source: type,
    target,
    data,
    attributes,
    recursive: false,
  });
  return [
    made("proc", "/proc", "", locked),
    made("tmpfs", "/dev", "mode=755,size=65536k", ATTR.NOSUID | ATTR.STRICTATIME),
    made("devpts", "/dev/pts", "newinstance,ptmxmode=0666,mode=0620,gid=5", ATTR.NOSUID | ATTR.NOEXEC),
    made("tmpfs", "/dev/shm", `mode=1777,size=${spec.shmSize ?? defaultShm}`, locked),
    made("mqueue", "/dev/mqueue", "", locked),
    made("sysfs", "/sys", "", spec.privileged === true ? locked : locked | ATTR.RDONLY),
    ...hierarchyMounts(resources.hierarchies ?? []),
    ...(resources.cgroup2 ? [made("cgroup2", "/sys/fs/cgroup", "", locked | ATTR.RDONLY)] : []),
  ];
}

/** One for all of them: see native/init/cgroups.c. */
function hierarchyMounts(hierarchies: readonly Hierarchy[]): readonly InitMount[] {
  if (hierarchies.length === 0) return [];
  const data = hierarchies.map(({ name, controllers }) => `${name}:${controllers.join(",")}`).join(";");
  const [source, target] = ["cgroup", "/sys/fs/cgroup"];
  return [{ type: "cgroup1", source, target, data, attributes: 0, recursive: false }];
}

/**
 * One mount of the caller's. What is not understood is refused, not left out: for a bind every word, for another file
 * system what the kernel does not know.
 */
function userMount(mount: Mount, { nodev, sockets }: PlanResources): InitMount {
  const { type, source, target, options, inside, overlay, file, socket, device } = mount;
  if (!target.startsWith("/")) throw mountError(mount, "its target is not absolute");
  // A device that it is given lies on a mount of its own.
  let attributes: number = nodev && device === undefined ? ATTR.NODEV : 0;
  const data: string[] = [];
  for (const option of options) {
    const attribute = attributeNames.get(option);
    if (attribute !== undefined) attributes |= attribute;
    else if (!plainWords.has(option)) data.push(option);
  }
  if (["bind", "overlay", "file", "socket", "device"].includes(type) && data.length > 0)
    throw mountError(mount, `"${data.join(",")}" is no option of a bind`);
  return {
    type,
    source,
    target,
    data: data.join(","),
    attributes,
    recursive: options.includes("rbind"),
    ...(inside === undefined ? {} : { inside }),
    ...(overlay === undefined ? {} : { layers: overlay }),
    ...(file === undefined ? {} : { file }),
    ...(socket === undefined ? {} : { socket: listening(socket, sockets) }),
    ...(device === undefined ? {} : { device: checkedDevice(mount, device, nodev) }),
  };
}

function listening(socket: SocketFile, sockets: PlanResources["sockets"]): InitSocket {
  const fd = sockets?.get(socket);
  if (fd === undefined) throw new RangeError("a mount's socket was not opened");
  return { fd, mode: socket.mode, uid: socket.uid, gid: socket.gid };
}

/** Without a control group nothing but the node's mode limits what root does with it. */
function checkedDevice(mount: Mount, device: DeviceFile, nodev: boolean): DeviceFile {
  const { kind, access } = device;
  if (!nodev || kind === "fifo" || (access.read && access.write)) return device;
  throw new TsbuildError(`Cannot give the device ${JSON.stringify(mount.target)} for less than reading and writing`, {
    code: "E_CGROUP_LIMIT",
    notes: ["this machine has no control group that tsbuild may use"],
    hint: 'permissions "rw", or a machine with control groups',
  });
}

function mountError({ type, target }: Mount, why: string): TsbuildError {
  return new TsbuildError(`Cannot mount ${type} on ${JSON.stringify(target)}: ${why}`, {
    code: "E_MOUNT_OPTION",
    hint: `options are ${[...Object.keys(attributeNames), ...plainWords].join(", ")}`,
  });
}
