import { lstatSync, mkdirSync, readFileSync, readlinkSync } from "node:fs";

/** What the kernel shows for a user or group that a user namespace has no number for. @see user_namespaces(7) */
const overflow = 65534;
const maxLinks = 40;

/**
 * Follows an absolute path from / on and looks for who could change what it leads to: each directory on the way belongs
 * to root or to this user, as does each symbolic link, and nobody else may write to it, unless it is sticky. A directory
 * is looked at before what is in it: nobody can exchange later what was found guarded. Of `make` missing directories at
 * its end, those that are needed are made, 0700. How the end itself may be written to is in `stat`, for breachOf().
 * `hasAcl` tells whether there is an access control list; Node has no call for it.
 *
 * In JavaScript: what keeps compiled code asks this, before anything could keep the result of stripping types.
 */
export function walkGuarded(path, { make = 0, hasAcl = unknown } = {}) {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  let links = 0;
  let isNew = false;
  let at = "/";
  let stat = lstatSync(at);
  const root = ownerBreach(at, stat);
  if (root !== undefined) return { path: at, stat, breach: root };
  for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
    if (stat.isDirectory()) {
      const breach = breachOf(at, stat, hasAcl);
      if (breach !== undefined) return { path: at, stat, breach };
    }
    const next = part === ".." ? parentOf(at) : at === "/" ? `/${part}` : `${at}/${part}`;
    const there = lstatSync(next, { throwIfNoEntry: false });
    const found = there ?? (parts.length < make ? made(next) : undefined);
    isNew = there === undefined;
    if (found === undefined) return { path: next, stat: undefined, breach: undefined };
    const breach = ownerBreach(next, found);
    if (breach !== undefined) return { path: next, stat: found, breach };
    if (found.isSymbolicLink()) {
      if (++links > maxLinks) throw Object.assign(new Error(`ELOOP: ${path}`), { code: "ELOOP" });
      const target = readlinkSync(next);
      parts.unshift(...target.split("/").filter((one) => one !== "" && one !== "."));
      if (target.startsWith("/")) [at, stat] = ["/", lstatSync("/")];
    } else [at, stat] = [next, found];
  }
  return { path: at, stat, breach: undefined, isNew };
}

/** Who does not know is careful. */
function unknown() {
  return true;
}

/** Who beside root and this user may change what is there: in a sticky directory each only what is their own. */
export function breachOf(path, stat, hasAcl = unknown) {
  return stat.isDirectory() && (stat.mode & 0o1000) !== 0 ? undefined : writersOf(path, stat, hasAcl);
}

/**
 * Who beside root and this user may write there. The rights of a group are those of everybody in an access control list,
 * too, where there is one.
 */
export function writersOf(path, stat, hasAcl = unknown) {
  const of = { path, uid: stat.uid, gid: stat.gid };
  if ((stat.mode & 0o022) === 0) return undefined;
  if ((stat.mode & 0o002) !== 0) return { ...of, who: "everybody" };
  if (!isOwnGroup(stat.gid)) return { ...of, who: "group" };
  return hasAcl(path) ? { ...of, who: "list" } : undefined;
}

function ownerBreach(path, { uid, gid }) {
  if (uid === 0 || uid === process.geteuid() || (uid === overflow && inNamespace())) return undefined;
  return { path, uid, gid, who: "owner" };
}

/** Another one may have been faster. */
function made(path) {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
  return lstatSync(path);
}

function parentOf(path) {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** Whether nobody is in the group but root and this user: many systems give each user a group, and its rights. */
function isOwnGroup(gid) {
  // The user's own group is 0 there, which the tables know as root's.
  if ((gid === overflow || gid === 0) && inNamespace()) return true;
  const group = accountRows("/etc/group").find((row) => row[2] === String(gid));
  const names = new Set((group?.[3] ?? "").split(",").filter((name) => name !== ""));
  const own = ["0", String(process.geteuid())];
  const users = accountRows("/etc/passwd");
  const members = users.filter(([name, , , primary]) => names.has(name) || primary === String(gid));
  if (group === undefined && members.length === 0) return false;
  const known = new Set(users.map(([name]) => name));
  return [...names].every((name) => known.has(name)) && members.every((row) => own.includes(row[2]));
}

/** Rows of /etc/passwd or /etc/group; none where it cannot be read. */
export function accountRows(file) {
  try {
    return readFileSync(file, "utf8")
      .split("\n")
      .map((line) => line.split(":"));
  } catch {
    return [];
  }
}

let namespace;

/** Whether the numbers of owners are not the machine's: there root's files look like everybody else's. */
function inNamespace() {
  try {
    namespace ??= !/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync("/proc/self/uid_map", "utf8"));
    return namespace;
  } catch {
    return false;
  }
}
