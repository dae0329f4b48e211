import type { OverlayLayers } from "../../native/mount.ts";

/** Attributes of one mount, in the words of mount(8). @see mount_setattr(2) */
export const mountAttributes = ["ro", "nosuid", "nodev", "noexec", "noatime", "strictatime"] as const;
export type MountAttribute = (typeof mountAttributes)[number];

/** What a container's root is: a directory of the host, which is then changed itself, or layers. */
export type RootFileSystem =
  | { readonly kind: "bind"; readonly source: string }
  /** `volatile` leaves out every sync. */
  | { readonly kind: "overlay"; readonly layers: OverlayLayers; readonly volatile?: boolean };

/** What is mounted below a container's root. Plain data, as all of a spec: JSON gives and takes it. */
export type Mount = BindMount | OverlayMount | FileSystemMount | FileMount | SocketMount | DeviceMount;

interface Placed {
  /** Absolute inside the container; resolved there, and made where it is missing. */
  readonly target: string;
  readonly attributes: readonly MountAttribute[];
}

interface Owned {
  /** Permissions alone. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** A file or directory of the host. */
export interface BindMount extends Placed {
  readonly kind: "bind";
  readonly source: string;
  /** With what is mounted below it. */
  readonly recursive?: boolean;
  /** The path inside of it that is mounted, resolved as if it were `/`; default: all. */
  readonly inside?: string;
}

/** A stack of directories. */
export interface OverlayMount extends Placed {
  readonly kind: "overlay";
  readonly layers: OverlayLayers;
  /** As a bind's. */
  readonly inside?: string;
}

/** A file system that the kernel makes anew: tmpfs, proc, sysfs and so on. */
export interface FileSystemMount extends Placed {
  readonly kind: "filesystem";
  readonly type: string;
  readonly source: string;
  /** Its own options: `size=64m`. */
  readonly data: readonly string[];
}

/** A file that exists in memory alone, on a tmpfs of its own. At most 1 MiB. */
export interface FileMount extends Placed, Owned {
  readonly kind: "file";
  /** The text itself, or the attachment that has the bytes: what must not be written down is no part of a spec. */
  readonly content: { readonly text: string } | { readonly attachment: string };
}

/** A socket that this process listens on, in a directory that nobody else has. */
export interface SocketMount extends Placed, Owned {
  readonly kind: "socket";
  /** Who answers there. */
  readonly attachment: string;
}

/**
 * A device node (or a pipe) on a tmpfs of its own. Where no node may be made, as in a user namespace, it is the host's at
 * `source`, if that is the same device, with the host's owner and mode.
 */
export interface DeviceMount extends Placed, Owned {
  readonly kind: "device";
  readonly source: string;
  readonly device: DeviceNode;
}

/** `access`: what a control group lets be done with the device; nodes of it can be made in any case. */
export type DeviceNode =
  | {
      readonly kind: "char" | "block";
      readonly major: number;
      readonly minor: number;
      readonly access: { readonly read: boolean; readonly write: boolean };
    }
  | { readonly kind: "fifo" };
