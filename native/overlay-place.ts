import { statfsSync } from "node:fs";
import { SyscallError, TsbuildError } from "./errors.ts";

/** File systems by their magic numbers, as mount(8) calls them. @see statfs(2) */
const names: ReadonlyMap<number, string> = new Map([
  [0x794c_7630, "overlay"],
  [0x6969, "nfs"],
  [0xff53_4d42, "cifs"],
  [0xfe53_4d42, "smb2"],
  [0x6573_5546, "fuse"],
  [0x0102_1997, "9p"],
  [0x0102_1994, "tmpfs"],
  [0xef53, "ext4"],
  [0x5846_5342, "xfs"],
  [0x9123_683e, "btrfs"],
  [0xf2f5_2010, "f2fs"],
]);
/** Those that overlayfs can write to. */
const writable = new Set(["tmpfs", "ext4", "xfs", "btrfs", "f2fs"]);
/** Where a store could be instead; the last one is memory. */
const otherPlaces = ["/var/tmp", "/tmp", "/dev/shm"];
/** What the kernel answers when a directory cannot be an overlay's upper one, or there is no overlayfs at all. */
const refusals = ["EINVAL", "ENODEV", "EOPNOTSUPP", "EREMOTE"];

function fileSystem(path: string): string | undefined {
  try {
    const { type } = statfsSync(path);
    return names.get(type) ?? `0x${type.toString(16)}`;
  } catch {
    return undefined;
  }
}

/**
 * The error for an overlay that the kernel refused because of where its upper directory is, if that is what `errno`
 * says; else undefined.
 */
export function placeError(errno: string, upper: string, cause: unknown): TsbuildError | undefined {
  if (!refusals.includes(errno)) return undefined;
  const name = fileSystem(upper) ?? "an unknown file system";
  if (errno !== "ENODEV" && writable.has(name)) return undefined;
  if (errno === "ENODEV") {
    return new TsbuildError("Cannot mount an overlay: the kernel has no overlayfs", {
      code: "E_NO_OVERLAY",
      cause,
      hint: "modprobe overlay",
    });
  }
  const other = otherPlaces.find((place) => writable.has(fileSystem(place) ?? ""));
  return new TsbuildError(`Cannot use the store for builds: overlayfs cannot write to ${name}, where it is`, {
    code: "E_NO_OVERLAY",
    cause,
    notes: [`the upper directory ${upper} was refused: ${errno}`],
    hint:
      other === undefined
        ? "put it on ext4, xfs, btrfs or tmpfs: TSBUILD_ROOT=DIR (in a container: a volume)"
        : `TSBUILD_ROOT=${other}/tsbuild tsbuild ...   (in a container: a volume for the store)`,
  });
}

/** The error of openOverlay() as placeError() tells it, where it does. */
export function explainOverlay(error: unknown, upper: string | undefined): unknown {
  if (upper === undefined || !(error instanceof SyscallError)) return error;
  return placeError(error.errno, upper, error) ?? error;
}
