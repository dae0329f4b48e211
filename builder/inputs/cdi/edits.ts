import { lstatSync, type Stats } from "node:fs";
import { errorMessage, TsbuildError } from "../../../native/errors.ts";
import { inUserNamespace } from "../../../native/user-namespace.ts";
import { mountOfWords, type DeviceMount, type Mount } from "../../../runtime/index.ts";
import type { FoundDevice } from "./registry.ts";
import type { CdiMount, ContainerEdits, DeviceNode } from "./spec.ts";

/** What a container gets with its devices. */
export interface DeviceSetup {
  /** `NAME=value`, over what the image says. */
  readonly env: readonly string[];
  readonly mounts: readonly Mount[];
  readonly additionalGids: readonly number[];
}

/**
 * Does what the specifications say: first that of the file, once, then that of the device. The host's nodes are looked at
 * now. @throws E_DEVICE_EDIT
 */
export function deviceSetup(
  devices: readonly FoundDevice[],
  user: { readonly uid: number; readonly gid: number },
): DeviceSetup {
  const edits = devices.flatMap(({ spec, device }, at) => {
    const seen = devices.slice(0, at).some((earlier) => earlier.spec === spec);
    return [...(seen ? [] : [spec.edits]), device.edits];
  });
  const nodes = edits.flatMap(({ deviceNodes }) => deviceNodes).map((node) => nodeMount(node, user));
  const mounts = edits.flatMap(({ mounts: given }) => given).map(hostMount);
  return {
    env: edits.flatMap(({ env }) => env),
    mounts: [...lastOfTarget(nodes), ...lastOfTarget(mounts).toSorted((a, b) => depth(a) - depth(b))],
    additionalGids: edits.flatMap(({ additionalGids }) => additionalGids),
  };
}

/** @throws E_DEVICE_EDIT for what nobody does here */
export function checkDevice({ name, spec, device }: FoundDevice): void {
  const asked = [spec.edits, device.edits].flatMap(({ unsupported }: ContainerEdits) => unsupported);
  if (asked.length === 0) return;
  throw new TsbuildError(`Cannot use the device ${name}: its ${[...new Set(asked)].join(", ")} would have to be run`, {
    code: "E_DEVICE_EDIT",
    notes: [`it is described in ${spec.path}`],
    hint: "tsbuild runs no programs of the host for a container: write a specification without them",
  });
}

function lastOfTarget(mounts: readonly Mount[]): readonly Mount[] {
  return [...new Map(mounts.map((mount) => [mount.target, mount])).values()];
}

function depth({ target }: Mount): number {
  return target.split("/").filter((name) => name !== "").length;
}

function nodeMount(node: DeviceNode, user: { readonly uid: number; readonly gid: number }): DeviceMount {
  const { path, hostPath, permissions, fileMode, uid, gid } = node;
  const found = inUserNamespace() ? sameAsHost(node) : numbersOf(node);
  const access = { read: permissions.includes("r"), write: permissions.includes("w") };
  return {
    kind: "device",
    source: hostPath,
    target: path,
    attributes: ["nosuid", "noexec"],
    mode: (fileMode ?? 0o666) & 0o7777,
    uid: uid ?? user.uid,
    gid: gid ?? user.gid,
    device: found.kind === "fifo" ? found : { ...found, access },
  };
}

/** A device by its numbers. */
type DeviceNumbers =
  | { readonly kind: "char" | "block"; readonly major: number; readonly minor: number }
  | { readonly kind: "fifo" };

/** Type and numbers as the specification has them; what it leaves out is the host's. @see CDI's fillMissingInfo */
function numbersOf({ path, hostPath, type, major, minor }: DeviceNode): DeviceNumbers {
  if (type === "p") return { kind: "fifo" };
  if (type !== undefined && major !== 0) return { kind: type === "b" ? "block" : "char", major, minor };
  const host = hostNode(path, hostPath);
  if (type !== undefined && (type === "b" ? "block" : "char") !== host.kind)
    throw nodeError(path, `${hostPath} is of another type than ${JSON.stringify(type)}`);
  return host;
}

/** In a user namespace, where nodes are not made but bound. */
function sameAsHost(node: DeviceNode): DeviceNumbers {
  const wanted = numbersOf(node);
  if (wanted.kind === "fifo") return wanted;
  const host = hostNode(node.path, node.hostPath);
  if (host.kind === wanted.kind && host.major === wanted.major && host.minor === wanted.minor) return wanted;
  throw nodeError(node.path, `a plain user cannot make devices, and ${node.hostPath} is another one`);
}

function hostNode(path: string, hostPath: string): DeviceNumbers {
  let stat: Stats;
  try {
    stat = lstatSync(hostPath);
  } catch (cause) {
    throw nodeError(path, errorMessage(cause), cause);
  }
  const kind = stat.isCharacterDevice() ? "char" : stat.isBlockDevice() ? "block" : stat.isFIFO() ? "fifo" : undefined;
  if (kind === undefined) throw nodeError(path, `${hostPath} is no device`);
  return kind === "fifo" ? { kind } : { kind, ...deviceNumbers(stat.rdev) };
}

/** @see makedev(3) */
function deviceNumbers(device: number): { readonly major: number; readonly minor: number } {
  const value = BigInt(device);
  const major = ((value >> 8n) & 0xfffn) | ((value >> 32n) & 0xffff_f000n);
  const minor = (value & 0xffn) | ((value >> 12n) & 0xffff_ff00n);
  return { major: Number(major), minor: Number(minor) };
}

function hostMount({ hostPath, containerPath, type, options }: CdiMount): Mount {
  const isBind = type === "bind" || options.some((option) => option === "bind" || option === "rbind");
  if (!isBind && (type === "" || type === "none"))
    throw nodeError(containerPath, "its mount has no type and is no bind");
  return mountOfWords({ type: isBind ? "bind" : type, source: hostPath, target: containerPath, options });
}

function nodeError(path: string, state: string, cause?: unknown): TsbuildError {
  return new TsbuildError(`Cannot give ${JSON.stringify(path)} to the step: ${state}`, {
    code: "E_DEVICE_EDIT",
    hint: "check the CDI specification against the machine",
    ...(cause === undefined ? {} : { cause }),
  });
}
