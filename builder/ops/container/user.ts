import { TsbuildError } from "../../../native/errors.ts";
import { canOwn, inUserNamespace, unmappedError } from "../../../native/user-namespace.ts";
import type { ProcessUser } from "../../../runtime/index.ts";

/** Text of /etc/passwd and /etc/group of a root file system; "" where there is none. */
export interface UserFiles {
  readonly passwd: string;
  readonly group: string;
}

interface PasswdLine {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface GroupLine {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** Of a file's owner: -1 would mean to leave it as it is. */
const maxId = 2 ** 32 - 2;
/** Of a process: runc and BuildKit take no larger one. */
const maxProcessId = 2 ** 31 - 1;

/** A user of RUN or `run`, with its home directory. */
export interface ResolvedUser extends ProcessUser {
  readonly home: string;
}

/**
 * `user[:group]`, names or numbers, as runc resolves it: without a group the groups that list the user are added;
 * a number that passwd does not know has group 0 and home `/`. What is all digits is never looked up as a name: an image
 * may have a line for it that says root (CVE-2024-40635).
 * @throws E_USER_INVALID, E_USER_NOT_FOUND, E_GROUP_NOT_FOUND
 */
export function resolveUser(text: string, files: UserFiles): ResolvedUser {
  const { user: name, group } = splitUser(text);
  const user = name === "" ? "0" : name;
  const users = parsePasswd(files.passwd);
  const groups = parseGroup(files.group);
  const number = processId(user, "user");
  const line = users.find((one) => (number === undefined ? one.name === user : one.uid === number));
  const uid = line?.uid ?? number ?? rootId(user);
  if (uid === undefined) throw noUser(user, users);
  const home = line?.home === undefined || line.home === "" ? "/" : line.home;
  if (group !== undefined && group !== "") {
    const gid = processId(group, "group") ?? groupId(group, groups);
    return { uid, gid, additionalGids: [gid], home };
  }
  const gid = line?.gid ?? 0;
  const member = line === undefined ? [] : groups.filter(({ members }) => members.includes(line.name));
  // The primary group is among them: a group that a file shuts out stays out (CVE-2023-25173).
  return { uid, gid, additionalGids: [...new Set([gid, ...member.map((one) => one.gid)])], home };
}

/**
 * The owner that `user[:group]` means: a name has its passwd group, a number alone is its own group, no user is root.
 * `unknown`: what stands for a name that the files do not have; without it that is an error.
 * @throws E_USER_NOT_FOUND, E_GROUP_NOT_FOUND, E_NO_SUBUID
 */
export function resolveOwner(
  text: string,
  files: UserFiles,
  unknown?: "root",
): { readonly uid: number; readonly gid: number } {
  const { user, group } = splitUser(text);
  const number = user === "" ? 0 : (rootId(user) ?? numericId(user));
  const users = parsePasswd(files.passwd);
  const line = number === undefined ? users.find(({ name }) => name === user) : undefined;
  const uid = number ?? line?.uid ?? (unknown === undefined ? undefined : 0);
  if (uid === undefined) throw noUser(user, users);
  const gid = ownerGroup(group, parseGroup(files.group), { own: line?.gid ?? uid, unknown });
  if (inUserNamespace() && !canOwn(uid, gid)) throw unmappedError(`Cannot give files to ${text}: the owner`, uid, gid);
  return { uid, gid };
}

function ownerGroup(
  group: string | undefined,
  groups: readonly GroupLine[],
  { own, unknown }: { readonly own: number; readonly unknown: "root" | undefined },
): number {
  if (group === undefined) return own;
  // As with BuildKit: `user:` is group 0.
  if (group === "") return 0;
  return rootId(group) ?? numericId(group) ?? groupId(group, groups, unknown === undefined ? undefined : own);
}

function splitUser(text: string): { readonly user: string; readonly group: string | undefined } {
  const at = text.indexOf(":");
  return at < 0 ? { user: text, group: undefined } : { user: text.slice(0, at), group: text.slice(at + 1) };
}

function groupId(group: string, groups: readonly GroupLine[], otherwise?: number): number {
  const gid = groups.find(({ name }) => name === group)?.gid ?? rootId(group) ?? otherwise;
  if (gid !== undefined) return gid;
  throw notFound(
    "group",
    group,
    "/etc/group",
    groups.map(({ name }) => name),
  );
}

function noUser(user: string, users: readonly PasswdLine[]): TsbuildError {
  return notFound(
    "user",
    user,
    "/etc/passwd",
    users.map(({ name }) => name),
  );
}

/** `root` is 0 where no file says so. */
function rootId(name: string): number | undefined {
  return name === "root" ? 0 : undefined;
}

/** The number of a process's user or group; undefined for a name. @throws E_USER_INVALID for what is out of range */
function processId(text: string, what: "user" | "group"): number | undefined {
  if (!/^[-+]?\d+$/.test(text)) return undefined;
  const id = Number(text);
  if (/^\d/.test(text) && id <= maxProcessId) return id;
  throw new TsbuildError(`Cannot run as ${what} ${text}: it is no number from 0 to ${maxProcessId}`, {
    code: "E_USER_INVALID",
  });
}

function numericId(text: string): number | undefined {
  if (!/^\d{1,10}$/.test(text)) return undefined;
  const id = Number(text);
  return id <= maxId ? id : undefined;
}

function notFound(what: "user" | "group", name: string, file: string, known: readonly string[]): TsbuildError {
  const list = known.length === 0 ? `${file} is missing or empty` : `${file} has: ${known.slice(0, 12).join(", ")}`;
  return new TsbuildError(`Cannot find ${what} ${JSON.stringify(name)} in the root file system`, {
    code: what === "user" ? "E_USER_NOT_FOUND" : "E_GROUP_NOT_FOUND",
    notes: [list],
    hint: `create it in an earlier RUN, or give its number`,
  });
}

function parsePasswd(text: string): readonly PasswdLine[] {
  return fields(text).flatMap(([name, , uid, gid, , home]) => {
    const ids = [numericId(uid ?? ""), numericId(gid ?? "")] as const;
    return name === undefined || ids[0] === undefined || ids[1] === undefined
      ? []
      : [{ name, uid: ids[0], gid: ids[1], home: home ?? "" }];
  });
}

function parseGroup(text: string): readonly GroupLine[] {
  return fields(text).flatMap(([name, , id, members]) => {
    const gid = numericId(id ?? "");
    return name === undefined || gid === undefined ? [] : [{ name, gid, members: (members ?? "").split(",") }];
  });
}

function fields(text: string): readonly (readonly string[])[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(":"));
}
