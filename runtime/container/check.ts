import { TsbuildError } from "../../native/errors.ts";
import type { OverlayLayers } from "../../native/mount.ts";
import { canOwn, inUserNamespace, unmappedError } from "../../native/user-namespace.ts";
import type { ContainerSpec } from "../spec/container-spec.ts";
import type { FileMount, Mount, RootFileSystem } from "../spec/mount.ts";
import type { Attachments } from "./attachments.ts";

/** (uid_t)-1 means "leave as it is" to the kernel: a program given it would stay root. */
const maxID = 0xffff_fffe;
/** PATH_MAX without its end. */
const maxPath = 4095;
/** Docker's names too; never `..`, for it is the name of a control group. */
const id = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;

/**
 * Refuses what the kernel would take for something else: numbers that wrap around, text that ends at a NUL byte, a name
 * that is a path; and users that a user namespace has no number for; and mounts whose attachment is not there. @throws E_CONTAINER_SPEC, E_WORKDIR_INVALID, E_NO_SUBUID
 */
export function checkSpec(spec: ContainerSpec, attachments: Attachments = {}): void {
  if (!id.test(spec.id)) throw refuse(`its name ${JSON.stringify(spec.id)} is none`, nameHint);
  if (spec.args.length === 0) throw refuse("it has no program");
  const { uid, gid, additionalGids } = spec.user;
  for (const number of [uid, gid, ...additionalGids]) {
    if (!Number.isInteger(number) || number < 0 || number > maxID) throw refuse(`${number} is no user or group`);
  }
  checkUser(uid, [gid, ...additionalGids]);
  checkDirectory(spec.cwd);
  const { root, mounts } = spec;
  if (inUserNamespace()) mounts.forEach(checkOwner);
  for (const mount of mounts) checkAttachment(mount, attachments);
  const paths = [...textsOfRoot(root), ...mounts.flatMap(textsOf)];
  for (const text of [...spec.args, ...spec.env, spec.hostname, ...paths]) {
    if (text.includes("\0")) throw refuse(`${JSON.stringify(text)} has a NUL character`);
  }
}

function checkDirectory(cwd: string): void {
  const why = !cwd.startsWith("/")
    ? "it is not an absolute path"
    : cwd.includes("\0")
      ? "it has a NUL character"
      : Buffer.byteLength(cwd) > maxPath
        ? `it has more than ${maxPath} bytes`
        : undefined;
  if (why === undefined) return;
  const shown = JSON.stringify(cwd.length > 80 ? `${cwd.slice(0, 80)}...` : cwd);
  throw new TsbuildError(`Cannot use ${shown} as the working directory: ${why}`, {
    code: "E_WORKDIR_INVALID",
    hint: "give an absolute path of a directory: -w /app",
  });
}

function checkUser(uid: number, groups: readonly number[]): void {
  if (!inUserNamespace()) return;
  const missing = groups.find((gid) => !canOwn(uid, gid));
  if (missing !== undefined) throw unmappedError("Cannot start the container: its user", uid, missing);
}

function checkOwner(mount: Mount): void {
  const isMade = mount.kind === "file" || mount.kind === "socket";
  if (!isMade && !(mount.kind === "device" && mount.device.kind === "fifo")) return;
  if (canOwn(mount.uid, mount.gid)) return;
  throw unmappedError(`Cannot mount ${JSON.stringify(mount.target)}: its owner`, mount.uid, mount.gid);
}

function checkAttachment(mount: Mount, { files, sockets }: Attachments): void {
  const name = mount.kind === "socket" ? mount.attachment : mount.kind === "file" ? attachedTo(mount) : undefined;
  const given = mount.kind === "socket" ? sockets : files;
  if (name === undefined || given?.has(name) === true) return;
  throw refuse(`nobody gave ${JSON.stringify(name)}, which is to be mounted on ${JSON.stringify(mount.target)}`);
}

function attachedTo({ content }: FileMount): string | undefined {
  return "attachment" in content ? content.attachment : undefined;
}

function textsOfRoot(root: RootFileSystem): readonly string[] {
  return root.kind === "bind" ? [root.source] : textsOfLayers(root.layers);
}

function textsOfLayers({ lower, upper = "", work = "" }: OverlayLayers): readonly string[] {
  return [...lower, upper, work];
}

/** All that the kernel gets as text. */
function textsOf(mount: Mount): readonly string[] {
  const { target } = mount;
  switch (mount.kind) {
    case "bind":
      return [target, mount.source, mount.inside ?? ""];
    case "overlay":
      return [target, ...textsOfLayers(mount.layers), mount.inside ?? ""];
    case "filesystem":
      return [target, mount.type, mount.source, ...mount.data];
    case "device":
      return [target, mount.source];
    case "file":
    case "socket":
      return [target];
    default:
      return mount satisfies never;
  }
}

const nameHint = "letters, digits and _ . -, at most 128, the first one a letter or digit";

function refuse(why: string, hint = "check the arguments, variables, paths and numbers of the command"): TsbuildError {
  return new TsbuildError(`Cannot start the container: ${why}`, { code: "E_CONTAINER_SPEC", hint });
}
