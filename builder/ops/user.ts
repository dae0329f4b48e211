import { TsbuildError } from "../../native/errors.ts";
import { canOwn, inUserNamespace, unmappedError } from "../../native/user-namespace.ts";
import type { ProcessUser } from "../../runtime/container/process.ts";

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

const maxId = 2 ** 32 - 2;

/** A user of RUN or `run`, with its home directory. */
export interface ResolvedUser extends ProcessUser {
  readonly home: string;
}

/**
 * `user[:group]`, names or numbers, as runc resolves it: without a group the groups that list the user are added;
 * a number that passwd does not know has group 0 and home `/`.
 * @throws E_USER_NOT_FOUND, E_GROUP_NOT_FOUND
 */
export function resolveUser(text: string, files: UserFiles): ResolvedUser {
  const { user, group } = splitUser(text === "" ? "0" : text);
  const users = parsePasswd(files.passwd);
  const groups = parseGroup(files.group);
  const line = findUser(users, user);
  const uid = line?.uid ?? numericId(user);
  if (uid === undefined)
    throw notFound(
      "user",
      user,
      "/etc/passwd",
      users.map(({ name }) => name),
    );
  const home = line?.home === undefined || line.home === "" ? "/" : line.home;
  if (group !== undefined && group !== "") {
    return { uid, gid: groupId(group, groups), additionalGids: [], home };
  }
  const gid = line?.gid ?? 0;
  const member = line === undefined ? [] : groups.filter(({ members }) => members.includes(line.name));
  return { uid, gid, additionalGids: [...new Set(member.map((one) => one.gid))], home };
}

/**
 * `--chown`: a name has its passwd group, a number alone is its own group.
 * @throws E_USER_NOT_FOUND, E_GROUP_NOT_FOUND, E_NO_SUBUID
 */
export function resolveOwner(text: string, files: UserFiles): { readonly uid: number; readonly gid: number } {
  const { user, group } = splitUser(text);
  const groups = parseGroup(files.group);
  const number = user === "root" ? 0 : numericId(user);
  const users = parsePasswd(files.passwd);
  const line = number === undefined ? users.find(({ name }) => name === user) : undefined;
  const uid = number ?? line?.uid;
  if (uid === undefined)
    throw notFound(
      "user",
      user,
      "/etc/passwd",
      users.map(({ name }) => name),
    );
  const gid = group === undefined || group === "" ? (line?.gid ?? uid) : group === "root" ? 0 : groupId(group, groups);
  if (inUserNamespace() && !canOwn(uid, gid)) throw unmappedError(`Cannot give files to ${text}: the owner`, uid, gid);
  return { uid, gid };
}

function splitUser(text: string): { readonly user: string; readonly group: string | undefined } {
  const at = text.indexOf(":");
  return at < 0 ? { user: text, group: undefined } : { user: text.slice(0, at), group: text.slice(at + 1) };
}

function findUser(users: readonly PasswdLine[], user: string): PasswdLine | undefined {
  const number = numericId(user);
  return users.find(({ name }) => name === user) ?? users.find(({ uid }) => uid === number);
}

function groupId(group: string, groups: readonly GroupLine[]): number {
  const gid = groups.find(({ name }) => name === group)?.gid ?? numericId(group);
  if (gid === undefined)
    throw notFound(
      "group",
      group,
      "/etc/group",
      groups.map(({ name }) => name),
    );
  return gid;
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
