import { chmodSync, readdirSync, type Stats } from "node:fs";
import { join } from "node:path";
import { TsbuildError } from "../native/errors.ts";
import { accountRows, breachOf, walkGuarded, type Breach } from "../native/guarded-path.js";
import { encodeCString } from "../native/pathname.ts";
import { tryCall } from "../native/syscall.ts";
import { openError } from "./open-error.ts";

/** Whoever reaches what is in a store can execute the setuid programs of its layers: this user alone comes in. */
const closed = 0o700;

/**
 * Makes the store's directory, or takes one that is there and closes it to everybody else, whatever the umask and the
 * directory around it say: those of older versions were open. @throws E_STORE_UNSAFE, an Error of node:fs
 */
export function claimRoot(root: string): void {
  const { path, stat, breach } = walkGuarded(root, { make: Infinity });
  if (breach !== undefined) throw unsafe(root, breach);
  if (stat === undefined || !stat.isDirectory())
    throw Object.assign(new Error(`ENOTDIR: ${path}`), { code: "ENOTDIR" });
  checkOwner(root, path, stat);
  if ((stat.mode & 0o7777) !== closed) close(root, path, stat);
}

/**
 * Whether there is a store that nobody but this user and root can have written to. Nothing is made or changed.
 * @throws E_STORE_UNSAFE, E_STORE_OPEN
 */
export function checkRoot(root: string): boolean {
  try {
    return isGuarded(root);
  } catch (error) {
    throw openError(error, root);
  }
}

function isGuarded(root: string): boolean {
  const { path, stat, breach } = walkGuarded(root);
  if (breach !== undefined) throw unsafe(root, breach);
  if (stat === undefined) return false;
  checkOwner(root, path, stat);
  const writable = breachOf(path, stat);
  if (writable !== undefined && readdirSync(path).length > 0) throw unsafe(root, writable);
  return true;
}

function checkOwner(root: string, path: string, { uid, gid }: Stats): void {
  if (uid !== process.geteuid?.()) throw unsafe(root, { path, uid, gid, who: "owner" });
}

/** One that others could write to may hold what they put there, unless it is empty, as a new volume is. */
function close(root: string, path: string, stat: Stats): void {
  const writable = breachOf(path, stat);
  chmodSync(path, closed);
  const entries = readdirSync(path, { withFileTypes: true });
  if (writable !== undefined && entries.length > 0) {
    chmodSync(path, stat.mode & 0o7777);
    throw unsafe(root, writable);
  }
  // Else all that is made in it would be for those whom the directory around it names.
  const none = ["ENODATA", "ENOTSUP", "EOPNOTSUPP"];
  tryCall(none, "lremovexattr", path, encodeCString(path), encodeCString("system.posix_acl_default"));
  for (const entry of entries) {
    if (entry.isDirectory()) chmodSync(join(path, entry.name), closed);
    else if (entry.isFile()) chmodSync(join(path, entry.name), 0o600);
  }
}

function unsafe(root: string, breach: Breach): TsbuildError {
  const itself = breach.path === root;
  const of = itself ? "it" : breach.path;
  const act = breach.who === "owner" ? `${owner(breach)} owns ${of}` : `${writers(breach)} can write to ${of}`;
  return new TsbuildError(`Cannot use the store in ${root}: ${act}${itself ? "" : ", and could replace it"}`, {
    code: "E_STORE_UNSAFE",
    hint: mend(breach, itself),
  });
}

/** The exact command. */
function mend({ path, uid, who }: Breach, itself: boolean): string {
  const other = "or use another store: --root DIR or TSBUILD_ROOT";
  const root = process.geteuid?.() === 0;
  const sudo = root || uid === process.geteuid?.() ? "" : "sudo ";
  if (who !== "owner") {
    const command = itself ? `chmod 700 ${path}` : `${sudo}chmod ${who === "group" ? "g-w" : "go-w"} ${path}`;
    return itself ? `if nobody else has put anything there: ${command}   (${other})` : `${command}   (${other})`;
  }
  if (!itself) return `${sudo}chown root ${path}   (${other})`;
  if (uid === 0) return `sudo tsbuild ...   (${other})`;
  return `${root ? `sudo -u ${nameOf("passwd", uid) ?? `'#${uid}'`} tsbuild ...` : "run it as that user"}   (${other})`;
}

function owner({ uid }: Breach): string {
  return uid === 0 ? "root" : `user ${[nameOf("passwd", uid), `(${uid})`].join(" ").trim()}`;
}

function writers({ who, gid }: Breach): string {
  return who === "group" ? `group ${[nameOf("group", gid), `(${gid})`].join(" ").trim()}` : "everybody";
}

function nameOf(table: "passwd" | "group", id: number): string | undefined {
  return accountRows(`/etc/${table}`).find((row) => row[2] === String(id))?.[0];
}
