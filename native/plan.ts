import type { OverlayLayers } from "./mount.ts";
import { encodePath } from "./pathname.ts";

/**
 * What tsbuild-init is to do, as plain data; the layout of its binary form is read by native/init/plan.c. What makes PID 1
 * itself (namespaces, cgroup) goes with the request: spawner.ts.
 */
export interface InitPlan {
  /** CLONE_NEW* flags. */
  readonly namespaces: number;
  readonly cgroupProcs: readonly string[];
  /** A v2 control group's directory that PID 1 is cloned into; "" = none. */
  readonly cgroup: string;
  /** Whether mounts, not a control group, keep the container from opening devices that it makes. */
  readonly nodev: boolean;
  /** Path of a network namespace to join; "" = none. */
  readonly netns: string;
  /** A directory of the host that the root is attached to, in a mount namespace that nobody else sees. */
  readonly staging: string;
  readonly root:
    | { readonly kind: "bind"; readonly source: string }
    | {
        readonly kind: "overlay";
        readonly lower: readonly string[];
        readonly upper: string;
        readonly work: string;
        readonly volatile: boolean;
        readonly userxattr: boolean;
        /** Mount by mount(2), as kernels without `lowerdir+` (before 6.8) need; otherwise only where it must be. */
        readonly byMount?: boolean;
      };
  readonly readonlyRoot: boolean;
  /** Ours: each is placed on a plain directory; masked and read-only paths come after them. */
  readonly systemMounts: readonly InitMount[];
  /** The caller's: targets are resolved in the root and made when missing. */
  readonly mounts: readonly InitMount[];
  readonly masked: readonly string[];
  readonly readonlyPaths: readonly string[];
  readonly hostname: string;
  readonly loopbackUp: boolean;
  readonly terminal: { readonly columns: number; readonly rows: number } | undefined;
  /** PID 1 is an init of ours that starts the program, forwards signals and reaps; false: the program is PID 1. */
  readonly init: boolean;
  readonly limits: readonly { readonly resource: number; readonly soft: bigint; readonly hard: bigint }[];
  /** Bit n = capability n. */
  readonly capabilities: bigint;
  readonly noNewPrivs: boolean;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly cwd: string;
  /** struct sock_filter[]; empty = none. */
  readonly seccomp: Uint8Array;
  readonly args: readonly string[];
  readonly env: readonly string[];
}

/**
 * One mount of a plan. `type` "bind", "overlay" of `layers`, "file", "socket" and "device" (`file`, `socket`, `device` on a
 * tmpfs of its own), or a file system made anew with `data` (`size=64m,mode=1777`).
 */
export interface InitMount {
  readonly type: string;
  readonly source: string;
  readonly target: string;
  readonly data: string;
  /** MOUNT_ATTR_* */
  readonly attributes: number;
  readonly recursive: boolean;
  /** Of a bind or an overlay: what of it is mounted, resolved inside of it; "" is all. */
  readonly inside?: string;
  readonly layers?: OverlayLayers;
  readonly file?: InitFile;
  readonly socket?: InitSocket;
  readonly device?: InitDevice;
}

/** A file on a tmpfs of its own. At most 1 MiB. */
export interface InitFile {
  readonly content: Uint8Array;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** A device node (or a pipe) on a tmpfs of its own, or the host's at the mount's `source` where none may be made. */
export interface InitDevice {
  readonly kind: "char" | "block" | "fifo";
  readonly major: number;
  readonly minor: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** A socket that is not yet bound; it listens when the program runs. `fd` is the engine's. */
export interface InitSocket {
  readonly fd: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** "TSB9": what engine and executable agree on, in requests and in plans. */
export const planMagic = 0x39425354;

/** Grows as needed; numbers are little endian. */
class Writer {
  #bytes = Buffer.alloc(16 << 10);
  #view = viewOf(this.#bytes);
  #at = 0;

  u32(value: number): void {
    this.#room(4);
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }

  u64(value: bigint): void {
    this.#room(8);
    this.#view.setBigUint64(this.#at, value, true);
    this.#at += 8;
  }

  bytes(value: Uint8Array): void {
    this.#room(value.byteLength);
    this.#bytes.set(value, this.#at);
    this.#at += value.byteLength;
  }

  /** Its length and its bytes, which C finds ended by a zero. */
  text(value: string): void {
    if (!value.isWellFormed()) {
      this.#encoded(encodePath(value));
      return;
    }
    this.#room(4 + value.length * 3 + 1);
    const length = this.#bytes.write(value, this.#at + 4);
    this.#view.setUint32(this.#at, length, true);
    this.#at += 4 + length;
    this.#bytes[this.#at++] = 0;
  }

  list(values: readonly string[]): void {
    this.u32(values.length);
    for (const value of values) this.text(value);
  }

  #encoded(bytes: Uint8Array): void {
    this.u32(bytes.byteLength);
    this.bytes(bytes);
    this.bytes(Buffer.of(0));
  }

  done(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  #room(size: number): void {
    if (this.#at + size <= this.#bytes.length) return;
    const bigger = Buffer.alloc((this.#at + size) * 2);
    this.#bytes.copy(bigger, 0, 0, this.#at);
    this.#bytes = bigger;
    this.#view = viewOf(bigger);
  }
}

/** Its setters are the engine's own; Buffer's are a stack of JavaScript for each number. */
function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** Descriptors of the engine that init gets after its plan, status pipe and terminal; it knows them by their order. */
export function socketsOf({ mounts }: InitPlan): readonly number[] {
  return mounts.flatMap(({ socket }) => socket?.fd ?? []);
}

/** The plan's binary form. */
export function encodePlan(plan: InitPlan): Buffer {
  const w = new Writer();
  const sockets = socketsOf(plan);
  w.u32(planMagic);
  w.list(plan.cgroupProcs);
  w.u32(Number(plan.nodev));
  w.text(plan.netns);
  w.text(plan.staging);
  writeRoot(w, plan);
  w.u32(plan.systemMounts.length);
  w.u32(plan.systemMounts.length + plan.mounts.length);
  for (const mount of [...plan.systemMounts, ...plan.mounts]) {
    w.text(mount.type);
    w.text(mount.source);
    w.text(mount.target);
    w.text(mount.data);
    w.u64(BigInt(mount.attributes));
    w.u32(Number(mount.recursive));
    writeSource(w, mount, sockets);
  }
  w.list(plan.masked);
  w.list(plan.readonlyPaths);
  w.text(plan.hostname);
  w.u32(Number(plan.loopbackUp));
  w.u32(Number(plan.terminal !== undefined));
  w.u32(plan.terminal?.columns ?? 0);
  w.u32(plan.terminal?.rows ?? 0);
  w.u32(Number(plan.init));
  writeProcess(w, plan);
  return w.done();
}

function writeSource(w: Writer, { inside, layers, file, socket, device }: InitMount, sockets: readonly number[]): void {
  w.text(inside ?? "");
  w.list(layers?.lower ?? []);
  w.text(layers?.upper ?? "");
  w.text(layers?.work ?? "");
  w.u32(file?.content.byteLength ?? 0);
  if (file !== undefined) w.bytes(file.content);
  const owned = file ?? socket ?? device;
  for (const number of [owned?.mode, owned?.uid, owned?.gid]) w.u32(number ?? 0);
  w.u32(socket === undefined ? 0 : sockets.indexOf(socket.fd));
  w.u32(device === undefined ? 0 : fileTypes[device.kind]);
  for (const number of [device?.major, device?.minor]) w.u32(number ?? 0);
}

/** S_IFMT of the nodes. @see inode(7) */
const fileTypes = { fifo: 0o010000, char: 0o020000, block: 0o060000 } as const;

function writeRoot(w: Writer, { root, readonlyRoot }: InitPlan): void {
  w.u32(Number(root.kind === "bind"));
  w.list(root.kind === "bind" ? [root.source] : root.lower);
  w.text(root.kind === "bind" ? "" : root.upper);
  w.text(root.kind === "bind" ? "" : root.work);
  w.u32(overlayFlags(root));
  w.u32(Number(readonlyRoot));
}

function overlayFlags(root: InitPlan["root"]): number {
  if (root.kind === "bind") return 0;
  return Number(root.volatile) | (Number(root.userxattr) << 1) | (Number(root.byMount === true) << 2);
}

function writeProcess(w: Writer, plan: InitPlan): void {
  w.u32(plan.limits.length);
  for (const { resource, soft, hard } of plan.limits) {
    w.u32(resource);
    w.u64(soft);
    w.u64(hard);
  }
  w.u64(plan.capabilities);
  w.u32(Number(plan.noNewPrivs));
  w.u32(plan.uid);
  w.u32(plan.gid);
  w.u32(plan.groups.length);
  for (const group of plan.groups) w.u32(group);
  w.text(plan.cwd);
  w.u32(plan.seccomp.byteLength);
  w.bytes(plan.seccomp);
  w.list(plan.args);
  w.list(plan.env);
}
