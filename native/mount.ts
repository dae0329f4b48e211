import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { TsbuildError } from "./errors.ts";
import { Root } from "./path.ts";
import { inUserNamespace } from "./user-namespace.ts";
import { explainOverlay } from "./overlay-place.ts";
import { encodeCString } from "./pathname.ts";
import { call, closeFd, tryCall } from "./syscall.ts";
import { temporaryPlace } from "./temporary-place.ts";

/** Directories of an overlayfs stack, topmost first. With `upper` it is writable. Passed by lowerdir+, so hundreds fit. */
export type OverlayLayers =
  | { readonly lower: readonly string[]; readonly upper?: undefined; readonly work?: undefined }
  | { readonly lower: readonly string[]; readonly upper: string; readonly work: string };

/** `volatile` leaves out every sync. */
export interface OverlayOptions {
  readonly volatile?: boolean;
}

const SYS_fsopen = 430;
const SYS_fsconfig = 431;
const SYS_fsmount = 432;
const FSOPEN_CLOEXEC = 1;
const FSMOUNT_CLOEXEC = 1;
const FSCONFIG_SET_FLAG = 0;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;
const MNT_DETACH = 2;
/** All that mount(2) takes as options. */
const pageSize = 4096;
/** The kernel's own limit of directories below the writable one. @see overlayfs.rst */
export const maxLowers = 500;

/**
 * The merged file system of an overlayfs stack, as a root that is attached nowhere: it is gone when the root is
 * disposed. `volatile` leaves out every sync. @throws SyscallError, E_OVERLAY_DEPTH, E_NO_OVERLAY
 */
export function openOverlay(layers: OverlayLayers, options: OverlayOptions = {}): Root {
  const { lower, upper } = layers;
  const [only] = lower;
  if (upper === undefined && only !== undefined && lower.length === 1) return Root.open(only);
  if (lower.length > maxLowers) {
    throw depthError(lower.length);
  }
  try {
    return newOverlay(layers, options) ?? overlayByMount(layers, options);
  } catch (error) {
    throw explainOverlay(error, upper);
  }
}

/** A user namespace may set no other attributes than user's. */
function overlayFlags({ volatile = false }: OverlayOptions): readonly string[] {
  return [...(volatile ? ["volatile"] : []), ...(inUserNamespace() ? ["userxattr"] : [])];
}

/** Of every overlay of ours: layers are complete by themselves. (A user namespace takes no other `redirect_dir`.) */
const settings = [
  ["index", "off"],
  ["metacopy", "off"],
  ["redirect_dir", "nofollow"],
] as const;

/** undefined where the kernel knows no `lowerdir+` (before 6.8). */
function newOverlay({ lower, upper, work }: OverlayLayers, options: OverlayOptions): Root | undefined {
  const fs = call("fsopen", "overlay", SYS_fsopen, encodeCString("overlay"), FSOPEN_CLOEXEC);
  try {
    const config = (key: string, value: string): readonly unknown[] => {
      return [SYS_fsconfig, fs, FSCONFIG_SET_STRING, encodeCString(key), encodeCString(value), 0];
    };
    for (const [at, directory] of lower.entries()) {
      const allowed = at === 0 ? ["EINVAL"] : [];
      if (tryCall(allowed, "fsconfig", directory, ...config("lowerdir+", directory)) === undefined) return undefined;
    }
    const set = (key: string, value: string): number => call("fsconfig", value, ...config(key, value));
    if (upper !== undefined) set("upperdir", upper);
    if (work !== undefined) set("workdir", work);
    for (const [key, value] of settings) set(key, value);
    for (const key of overlayFlags(options))
      call("fsconfig", key, SYS_fsconfig, fs, FSCONFIG_SET_FLAG, encodeCString(key), null, 0);
    call("fsconfig", "overlay", SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, null, null, 0);
    return Root.fromFd(call("fsmount", "overlay", SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0));
  } finally {
    closeFd(fs);
  }
}

/**
 * The same by mount(2), whose options are one page: directories are named by short symlinks in a directory of their
 * own, where the mount is attached until it is open. @throws E_OVERLAY_DEPTH when they do not fit
 */
export function overlayByMount({ lower, upper, work }: OverlayLayers, options: OverlayOptions = {}): Root {
  const place = mkdtempSync(join(temporaryPlace(), "o"));
  const target = join(place, "mount");
  try {
    // Below what only this user can enter: while it is attached the whole machine sees it.
    mkdirSync(target);
    const name = (directory: string, at: number): string => {
      const link = join(place, at.toString(36));
      symlinkSync(directory, link);
      return link;
    };
    const words = [`lowerdir=${lower.map(name).join(":")}`];
    if (upper !== undefined) words.push(`upperdir=${name(upper, lower.length)}`);
    if (work !== undefined) words.push(`workdir=${name(work, lower.length + 1)}`);
    words.push(...settings.map(([key, value]) => `${key}=${value}`));
    words.push(...overlayFlags(options));
    const data = encodeCString(words.join(","));
    if (data.length > pageSize) throw depthError(lower.length, `${Math.floor(pageSize / (place.length + 4))} here`);
    const [at, type] = [encodeCString(target), encodeCString("overlay")];
    call("mount", target, type, at, type, 0, data);
    try {
      return Root.open(target);
    } finally {
      call("umount2", target, at, MNT_DETACH);
    }
  } finally {
    rmSync(place, { recursive: true });
  }
}

/** More layers than can be mounted. */
export function depthError(depth: number, limit: string = String(maxLowers)): TsbuildError {
  return new TsbuildError(`Cannot mount ${depth} layers: overlayfs takes ${limit}`, {
    code: "E_OVERLAY_DEPTH",
    hint: "join RUN steps, or build on a squashed base image",
  });
}
