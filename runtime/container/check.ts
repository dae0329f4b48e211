import { TsbuildError } from "../../native/errors.ts";
import type { Mount } from "../../native/mount.ts";
import { canOwn, inUserNamespace, unmappedError } from "../../native/user-namespace.ts";
import type { ContainerSpec } from "../spec/container-spec.ts";

/** (uid_t)-1 means "leave as it is" to the kernel: a program given it would stay root. */
const maxID = 0xffff_fffe;
/** PATH_MAX without its end. */
const maxPath = 4095;
/** Docker's names too; never `..`, for it is the name of a control group. */
const id = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;

/**
 * Refuses what the kernel would take for something else: numbers that wrap around, text that ends at a NUL byte, a name
 * that is a path; and users that a user namespace has no number for. @throws E_CONTAINER_SPEC, E_WORKDIR_INVALID, E_NO_SUBUID
 */
export function checkSpec(spec: ContainerSpec): void {
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
  const paths = [
    ...mounts.flatMap(({ source, target, inside = "", options }) => [source, target, inside, ...options]),
    ...[root, ...mounts].flatMap(({ overlay }) => [
      ...(overlay?.lower ?? []),
      overlay?.upper ?? "",
      overlay?.work ?? "",
    ]),
  ];
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

function checkOwner({ target, file, socket, device }: Mount): void {
  const owned = file ?? socket ?? (device?.kind === "fifo" ? device : undefined);
  if (owned === undefined || canOwn(owned.uid, owned.gid)) return;
  throw unmappedError(`Cannot mount ${JSON.stringify(target)}: its owner`, owned.uid, owned.gid);
}

const nameHint = "letters, digits and _ . -, at most 128, the first one a letter or digit";

function refuse(why: string, hint = "check the arguments, variables, paths and numbers of the command"): TsbuildError {
  return new TsbuildError(`Cannot start the container: ${why}`, { code: "E_CONTAINER_SPEC", hint });
}
