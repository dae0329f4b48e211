import { TsbuildError } from "./errors.ts";
import { Root } from "./path.ts";
import { encodeCString } from "./pathname.ts";
import { call, closeFd } from "./syscall.ts";

/** The currency between store and runtime. Options in the words of mount(8). */
export interface Mount {
  readonly type: string;
  readonly source: string;
  /** Absolute inside the container; "" or "/" for the root. */
  readonly target: string;
  readonly options: readonly string[];
  /** Of an overlay: topmost first. With `upper` it is writable. Passed by lowerdir+, so hundreds fit. */
  readonly overlay?: OverlayLayers;
}

/** Directories of an overlayfs stack. */
export interface OverlayLayers {
  readonly lower: readonly string[];
  readonly upper?: string;
  readonly work?: string;
}

const SYS_fsopen = 430;
const SYS_fsconfig = 431;
const SYS_fsmount = 432;
const FSOPEN_CLOEXEC = 1;
const FSMOUNT_CLOEXEC = 1;
const FSCONFIG_SET_FLAG = 0;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;
/** The kernel's own limit. @see overlayfs.rst */
const maxLowers = 500;

/**
 * The merged file system of an overlayfs stack, as a root that is attached nowhere: it is gone when the root is
 * disposed. `volatile` leaves out every sync. @throws SyscallError, E_OVERLAY_DEPTH
 */
export function openOverlay(
  layers: OverlayLayers,
  options: { readonly volatile?: boolean; readonly userxattr?: boolean } = {},
): Root {
  const { lower, upper, work } = layers;
  const [only] = lower;
  if (upper === undefined && only !== undefined && lower.length === 1) return Root.open(only);
  if (lower.length > maxLowers) {
    throw new TsbuildError(`Cannot mount ${lower.length} layers: overlayfs takes ${maxLowers}`, {
      code: "E_OVERLAY_DEPTH",
      hint: "join RUN steps, or build on a squashed base image",
    });
  }
  const fs = call("fsopen", "overlay", SYS_fsopen, encodeCString("overlay"), FSOPEN_CLOEXEC);
  try {
    const set = (key: string, value: string): number =>
      call("fsconfig", value, SYS_fsconfig, fs, FSCONFIG_SET_STRING, encodeCString(key), encodeCString(value), 0);
    for (const directory of lower) set("lowerdir+", directory);
    if (upper !== undefined) set("upperdir", upper);
    if (work !== undefined) set("workdir", work);
    for (const key of ["index", "metacopy", "redirect_dir"]) set(key, "off");
    for (const key of ["volatile", "userxattr"] as const) {
      if (options[key] === true)
        call("fsconfig", key, SYS_fsconfig, fs, FSCONFIG_SET_FLAG, encodeCString(key), null, 0);
    }
    call("fsconfig", "overlay", SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, null, null, 0);
    return Root.fromFd(call("fsmount", "overlay", SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0));
  } finally {
    closeFd(fs);
  }
}
