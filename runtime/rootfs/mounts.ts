import { TsbuildError } from "../../native/errors.ts";
import type { InitDevice, InitMount } from "../../native/plan.ts";
import type { Hierarchy } from "../cgroup/cgroup.ts";
import type { DeviceMount, FileMount, Mount, MountAttribute, SocketMount } from "../spec/mount.ts";

/** MOUNT_ATTR_*. @see mount_setattr(2) */
const attributeBits = {
  ro: 0x1,
  nosuid: 0x2,
  nodev: 0x4,
  noexec: 0x8,
  noatime: 0x10,
  strictatime: 0x20,
} as const satisfies Readonly<Record<MountAttribute, number>>;
const locked = ["nosuid", "nodev", "noexec"] as const;
const defaultShm = 64 << 20;

/** What the caller's mounts are made with. */
export interface MountResources {
  /** Whether no control group keeps the container from devices: its mounts must. */
  readonly nodev: boolean;
  /** Contents of files, by the attachments that mounts name. */
  readonly files?: ReadonlyMap<string, Uint8Array>;
  /** Descriptors of the sockets that are not yet bound. */
  readonly sockets?: ReadonlyMap<SocketMount, number>;
}

/** What every container has. @see runtime-spec config-linux.md#default-filesystems */
export function systemMounts(options: {
  readonly shmSize: number | undefined;
  readonly writableSys: boolean;
  readonly cgroup2: boolean;
  readonly hierarchies: readonly Hierarchy[];
}): readonly InitMount[] {
  const { shmSize = defaultShm, writableSys, cgroup2, hierarchies } = options;
  return [
    madeAnew("proc", "/proc", locked),
    madeAnew("tmpfs", "/dev", ["nosuid", "strictatime"], "mode=755,size=65536k"),
    madeAnew("devpts", "/dev/pts", ["nosuid", "noexec"], "newinstance,ptmxmode=0666,mode=0620,gid=5"),
    madeAnew("tmpfs", "/dev/shm", locked, `mode=1777,size=${shmSize}`),
    madeAnew("mqueue", "/dev/mqueue", locked),
    madeAnew("sysfs", "/sys", writableSys ? locked : [...locked, "ro"]),
    ...hierarchyMounts(hierarchies),
    ...(cgroup2 ? [madeAnew("cgroup2", "/sys/fs/cgroup", [...locked, "ro"])] : []),
  ];
}

/** One for all of them: see native/init/cgroups.c. */
function hierarchyMounts(hierarchies: readonly Hierarchy[]): readonly InitMount[] {
  if (hierarchies.length === 0) return [];
  const data = hierarchies.map(({ name, controllers }) => `${name}:${controllers.join(",")}`).join(";");
  return [{ ...madeAnew("cgroup", "/sys/fs/cgroup", [], data), type: "cgroup1" }];
}

function madeAnew(type: string, target: string, attributes: readonly MountAttribute[], data: string = ""): InitMount {
  return { type, source: type, target, data, attributes: bitsOf(attributes), recursive: false };
}

/** One mount of the caller's. @throws E_MOUNT_OPTION, E_CGROUP_LIMIT */
export function userMount(mount: Mount, resources: MountResources): InitMount {
  const { target, attributes } = mount;
  if (!target.startsWith("/")) throw relativeTarget(mount);
  // A device that it is given lies on a mount of its own.
  const forced = resources.nodev && mount.kind !== "device" ? attributeBits.nodev : 0;
  const plain = {
    type: mount.kind,
    source: mount.kind,
    target,
    data: "",
    attributes: bitsOf(attributes) | forced,
    recursive: false,
  };
  switch (mount.kind) {
    case "bind":
      return { ...plain, source: mount.source, recursive: mount.recursive ?? false, ...insideOf(mount) };
    case "overlay":
      return { ...plain, layers: mount.layers, ...insideOf(mount) };
    case "filesystem":
      return { ...plain, type: mount.type, source: mount.source, data: mount.data.join(",") };
    case "file":
      return { ...plain, source: "tmpfs", file: { content: contentOf(mount, resources), ...ownerOf(mount) } };
    case "socket":
      return { ...plain, source: "tmpfs", socket: { fd: descriptorOf(mount, resources), ...ownerOf(mount) } };
    case "device":
      return { ...plain, source: mount.source, device: deviceOf(mount, resources) };
    default:
      return mount satisfies never;
  }
}

function bitsOf(attributes: readonly MountAttribute[]): number {
  return attributes.reduce((bits, attribute) => bits | attributeBits[attribute], 0);
}

function insideOf({ inside }: { readonly inside?: string }): { readonly inside?: string } {
  return inside === undefined ? {} : { inside };
}

function ownerOf({ mode, uid, gid }: FileMount | SocketMount | DeviceMount): Pick<InitDevice, "mode" | "uid" | "gid"> {
  return { mode, uid, gid };
}

function contentOf({ content }: FileMount, { files }: MountResources): Uint8Array {
  if ("text" in content) return Buffer.from(content.text);
  const bytes = files?.get(content.attachment);
  if (bytes === undefined) throw new RangeError(`the attachment ${content.attachment} is not there`);
  return bytes;
}

function descriptorOf(mount: SocketMount, { sockets }: MountResources): number {
  const fd = sockets?.get(mount);
  if (fd === undefined) throw new RangeError("a mount's socket was not opened");
  return fd;
}

function deviceOf(mount: DeviceMount, { nodev }: MountResources): InitDevice {
  const { device, target } = mount;
  if (device.kind === "fifo") return { kind: "fifo", major: 0, minor: 0, ...ownerOf(mount) };
  const { kind, major, minor, access } = device;
  // Without a control group nothing but the node's mode limits what root does with it.
  if (nodev && !(access.read && access.write)) throw cannotLimit(target);
  return { kind, major, minor, ...ownerOf(mount) };
}

function cannotLimit(target: string): TsbuildError {
  return new TsbuildError(`Cannot give the device ${JSON.stringify(target)} for less than reading and writing`, {
    code: "E_CGROUP_LIMIT",
    notes: ["this machine has no control group that tsbuild may use"],
    hint: 'permissions "rw", or a machine with control groups',
  });
}

function relativeTarget(mount: Mount): TsbuildError {
  const type = mount.kind === "filesystem" ? mount.type : mount.kind;
  return new TsbuildError(`Cannot mount ${type} on ${JSON.stringify(mount.target)}: its target is not absolute`, {
    code: "E_MOUNT_OPTION",
    hint: "give an absolute path",
  });
}
